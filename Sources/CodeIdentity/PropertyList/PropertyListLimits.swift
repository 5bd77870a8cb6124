// SPDX-License-Identifier: Apache-2.0

// How much property list is read.

public import FlowModel

extension CodeIdentityLimits {
    public static let propertyListBytes = Limit(
        "plist.bytes", 128 * 1024 * 1024, .bytes, metric: "limit_plist_bytes_total",
        "The seal of an application with 200 000 files is about 70 MiB; a longer list is refused.")
    public static let propertyListItems = Limit(
        "plist.items", 1_000_000, .count, metric: "limit_plist_items_total",
        "Values in one list; three stand for a sealed file. It bounds memory to about 100 MiB; more are refused.")
    public static let propertyListDepth = Limit(
        "plist.depth", 64, .count, metric: "limit_plist_depth_total",
        "Arrays and dictionaries inside each other; real ones stay below ten. Deeper lists are refused.")
    public static let propertyListKeyBytes = Limit(
        "plist.key-bytes", 4096, .bytes, metric: "limit_plist_key_bytes_total",
        "The longest key is a path; hashing longer ones, shared by many dictionaries, would be quadratic. Refused.")
    public static let propertyListKeyMarks = Limit(
        "plist.key-marks", 30, .count, metric: "limit_plist_key_marks_total",
        "Combining marks in a row, as many as stream-safe text has (UAX #15); hashing longer rows is quadratic. Refused."
    )

    static let propertyList: [Limit] = [
        propertyListBytes, propertyListItems, propertyListDepth, propertyListKeyBytes, propertyListKeyMarks,
    ]
}
