// SPDX-License-Identifier: Apache-2.0

// Every number that bounds reading a package database and judging a file by it.

public import FlowModel

extension CodeIdentityLimits {
    public static let packageFileBytes = Limit(
        "packages.file", 64 * 1024 * 1024, .bytes, metric: "limit_package_file_total",
        "The longest file of a package database; the longest lists of real packages are about 4 MiB.")
    public static let packageDatabaseBytes = Limit(
        "packages.database", 512 * 1024 * 1024, .bytes, metric: "limit_package_database_total",
        "All files of a package database together; 800 packages take 18 MiB. Packages beyond it own nothing.")
    public static let packageCount = Limit(
        "packages.count", 65_535, .count, metric: "limit_package_count_total",
        "About as many as the largest distribution has at all; the others own nothing. Their number fits 16 bits.")
    public static let packagePaths = Limit(
        "packages.paths", 2_000_000, .count, metric: "limit_package_paths_total",
        "Files with an owner, 48 bytes and their name each; a desktop has 300,000. The others have no owner.")
    public static let packagePathBytes = Limit(
        "packages.path", 4095, .bytes, metric: "limit_package_path_total",
        "The kernel opens no longer path, so a longer line names no file.")
    public static let packageNames = Limit(
        "packages.names", 1_000_000, .count, metric: "limit_package_names_total",
        "Names read from one folder of a package database; dpkg keeps two to eight files a package.")
    public static let packageProblems = Limit(
        "packages.problems", 100, .count, metric: "limit_package_problems_total",
        "Problems told one by one; a damaged database has as many as lines, and the others are only counted.")
    public static let packageOwners = Limit(
        "packages.owners", 16, .count, metric: "limit_package_owners_total",
        "Owners of one file that are looked at; a machine has two or three architectures.")
    public static let packageDigestBytes = Limit(
        "packages.digest", 1024 * 1024 * 1024, .bytes, metric: "limit_package_digest_total",
        "The longest file that is hashed, about two seconds of work; a longer one is called unreadable.")
    public static let packageDigestPiece = Limit(
        "packages.digest-piece", 256 * 1024, .bytes, metric: "limit_package_digest_piece_total",
        "Bytes in memory while a file is hashed.")
    public static let packageDigests = Limit(
        "packages.digests", 8192, .count, metric: "limit_package_digests_total",
        "Digests remembered by file, about 250 bytes each; the least recently used half goes when they are full.")
    public static let packageSettling = Limit(
        "packages.settling", 2_000, .milliseconds, metric: "limit_package_settling_total",
        "A file changed this short ago is hashed again: a second write in the same clock tick would not show.")
    public static let packageCurrency = Limit(
        "packages.currency", 1_000, .milliseconds, metric: "none",
        "How long the package database is taken for current before it is looked at again, which takes 40 us.")
    public static let pathLinks = Limit(
        "path.links", 40, .count, metric: "limit_path_links_total",
        "Symbolic links on the way to a file; the kernel follows as many.")
    public static let pathDepth = Limit(
        "path.depth", 128, .count, metric: "limit_path_depth_total",
        "Folders above a file, each with an open descriptor while the way is walked.")

    static let packages: [Limit] = [
        packageFileBytes, packageDatabaseBytes, packageCount, packagePaths, packagePathBytes, packageNames,
        packageProblems, packageOwners, packageDigestBytes, packageDigestPiece, packageDigests, packageSettling,
        packageCurrency,
        pathLinks, pathDepth,
    ]
}
