// SPDX-License-Identifier: Apache-2.0

// The bounds of the catalogues.

public import FlowModel

extension PolicyLimits {
    public static let catalogueBytes = Limit(
        "catalogue.file", 1 << 20, .bytes, metric: "catalogue_too_large_total",
        "ten times the largest that ships; a larger file is not read")
    public static let catalogueRows = Limit(
        "catalogue.rows", 10_000, .count, metric: "catalogue_rows_dropped_total",
        "ten times the longest that ships; further rows are dropped and told")
    public static let catalogueColumns = Limit(
        "catalogue.columns", 32, .count, metric: "catalogue_rows_dropped_total",
        "twice the widest that ships; a wider row is dropped and told")
    public static let catalogueField = Limit(
        "catalogue.field", 2_048, .bytes, metric: "catalogue_rows_dropped_total",
        "four times the longest text that ships; a row with a longer field is dropped and told")

    static let catalogues = [catalogueBytes, catalogueRows, catalogueColumns, catalogueField]
}
