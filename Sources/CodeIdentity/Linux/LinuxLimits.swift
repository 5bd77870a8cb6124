// SPDX-License-Identifier: Apache-2.0

// The bounds of reading Linux processes and units.

public import FlowModel

extension CodeIdentityLimits {
    public static let processStat = Limit(
        "linux.process-stat", 16 << 10, .bytes, metric: "linux_process_files_cut_total",
        "`stat`, `status` and `cgroup` have 0.3 to 3 KiB (many groups, many controllers); more than this is not read.")
    public static let processMaps = Limit(
        "linux.process-maps", 16 << 20, .bytes, metric: "linux_process_maps_cut_total",
        "65,530 mappings (the kernel's default bound) of 100 bytes are 6.5 MB; beyond, the mappings count as unread."
    )
    public static let processArguments = Limit(
        "linux.process-arguments", 64 << 10, .bytes, metric: "linux_process_arguments_cut_total",
        "A script stands among the first arguments; the rest of a longer command line is not looked at.")
    public static let processEnvironment = Limit(
        "linux.process-environment", 1 << 20, .bytes, metric: "linux_process_environments_cut_total",
        "Real environments have a few KiB; a longer one counts as one that asks the loader for more.")
    public static let linkTarget = Limit(
        "linux.link-target", 4096, .bytes, metric: "linux_links_cut_total",
        "PATH_MAX: the kernel gives no longer link target.")
    public static let executableMappings = Limit(
        "linux.executable-mappings", 8192, .count, metric: "linux_executable_mappings_cut_total",
        "Browsers have about 300; a process with more than this counts as one whose mappings are unread.")
    public static let mappedFiles = Limit(
        "linux.mapped-files", 1024, .count, metric: "linux_mapped_files_cut_total",
        "Office suites map about 300 libraries; the files beyond are not hashed, and the mappings count as unread.")
    public static let mappedCode = Limit(
        "linux.mapped-code", 8 << 30, .bytes, metric: "linux_mapped_code_cut_total",
        "Browsers map 0.3 GB of code; each page is looked at for 8 bytes. Beyond, the mappings count as unread.")
    public static let threads = Limit(
        "linux.threads", 8192, .count, metric: "linux_threads_cut_total",
        "Large servers have some thousand threads; whether those beyond are traced is not known, and said.")
    public static let programBytes = Limit(
        "linux.program-bytes", 1 << 30, .bytes, metric: "linux_programs_too_large_total",
        "The largest packaged programs have 0.2 to 0.5 GB; a larger file is not hashed and stays unproved.")
    public static let hashedBytes = Limit(
        "linux.hashed-bytes", 4 << 30, .bytes, metric: "linux_hashing_cut_total",
        "All files of one process together: some ten seconds of hashing; those beyond stay unproved.")
    public static let scriptBytes = Limit(
        "linux.script-bytes", 64 << 20, .bytes, metric: "linux_scripts_too_large_total",
        "Scripts have KiB, JAR files MiB; a larger one is named without its digest.")
    public static let imageAttempts = Limit(
        "linux.image-attempts", 3, .count, metric: "linux_image_changes_total",
        "A process that executes another program while it is read is read again; one that keeps doing so is reported.")
    public static let reportedMappings = Limit(
        "linux.reported-mappings", 16, .count, metric: "linux_reported_mappings_cut_total",
        "Enough for a person to see what is wrong; the injection paths are complete all the same.")
    public static let unitLinks = Limit(
        "linux.unit-links", 8, .count, metric: "linux_unit_links_cut_total",
        "A unit file is at most an alias of a linked file; a longer chain of links is a loop.")
    public static let unitNames = Limit(
        "linux.unit-names", 32, .count, metric: "linux_unit_names_cut_total",
        "The names a unit may have: aliases, and prefixes of its name at each dash.")
    public static let folderEntries = Limit(
        "linux.folder-entries", 8192, .count, metric: "linux_folders_cut_total",
        "A full system has about 500 unit files; the entries of a larger folder are not all seen.")
    public static let cachedProcesses = Limit(
        "linux.cached-processes", 4096, .count, metric: "linux_cached_processes_evicted_total",
        "More than make flows at the same time; an identity takes 1 to 3 KB. One that falls out is read again.")
    public static let identityAge = Limit(
        "linux.identity-age", 120_000, .milliseconds, metric: "linux_identity_age_total",
        "How old what is known of a process may be: a library or a tracer may come later. Looking again takes some ms.")
    public static let identityWait = Limit(
        "linux.identity-wait", 1_000, .milliseconds, metric: "linux_identity_wait_total",
        "From asking to answering: hashing curl and its libraries takes 0.03 s, node 0.2 s. After it those who wait are "
            + "told that it is not known; the answer still comes, for the next flow.")
    public static let identitiesWaiting = Limit(
        "linux.identity-queue", 256, .count, metric: "linux_identity_queue_total",
        "Processes waiting to be examined or being examined; beyond it the answer says busy.")
    public static let identitiesAtOnce = Limit(
        "linux.identity-workers", 1, .count, metric: "linux_identity_workers_total",
        "Examinations at once: hashing takes a whole processor, and the flows need the others.")
    public static let identityWaiters = Limit(
        "linux.identity-waiters", 1024, .count, metric: "linux_identity_waiters_total",
        "Flows that wait for a later answer; beyond it the answer says busy.")

    /// The limits of the folder.
    public static let linux: [Limit] = [
        processStat, processMaps, processArguments, processEnvironment, linkTarget, executableMappings, mappedFiles,
        mappedCode, threads, programBytes, hashedBytes, scriptBytes, imageAttempts, reportedMappings, unitLinks,
        unitNames, folderEntries, cachedProcesses, identityAge, identityWait, identitiesWaiting, identitiesAtOnce,
        identityWaiters,
    ]
}
