// SPDX-License-Identifier: Apache-2.0

// What can be wrong with the text or the blob of a requirement.

// Text. The offset counts bytes of the text; the detail gives line and column and what to write instead.
extension CodeProblem.Code {
    /// A byte that begins no token: a carriage return, a byte order mark, an underscore.
    public static let requirementInvalidCharacter = Self("requirement-invalid-character")
    /// A byte that no UTF-8 text holds (C0, C1, F5 to FF), in a string or a comment.
    public static let requirementInvalidByte = Self("requirement-invalid-byte")
    /// A backslash before anything but a quote.
    public static let requirementInvalidEscape = Self("requirement-invalid-escape")
    public static let requirementUnterminatedString = Self("requirement-unterminated-string")
    public static let requirementUnterminatedComment = Self("requirement-unterminated-comment")
    /// A dot in a word with neither letter nor digit after it.
    public static let requirementIncompleteWord = Self("requirement-incomplete-word")
    /// A bare path that is not two or more plain words.
    public static let requirementInvalidPathname = Self("requirement-invalid-pathname")
    /// `H"` that no hexadecimal digits and quote follow.
    public static let requirementInvalidHash = Self("requirement-invalid-hash")
    /// A hash of another length than its place wants.
    public static let requirementHashLength = Self("requirement-hash-length")
    /// `0x` without digits or with an odd number of them.
    public static let requirementInvalidHexadecimal = Self("requirement-invalid-hexadecimal")
    public static let requirementUnexpectedToken = Self("requirement-unexpected-token")
    public static let requirementUnexpectedEnd = Self("requirement-unexpected-end")
    /// A bare keyword where a string is wanted.
    public static let requirementReservedWord = Self("requirement-reserved-word")
    /// A bare number where a string is wanted.
    public static let requirementUnquotedNumber = Self("requirement-unquoted-number")
    public static let requirementIntegerRange = Self("requirement-integer-range")
    public static let requirementInvalidTimestamp = Self("requirement-invalid-timestamp")
    /// `certificate leaf = "file"`: a requirement never reads a file here.
    public static let requirementFileReference = Self("requirement-file-reference")
    /// A key in brackets that is none of `subject.`, `field.`, `extension.`, `policy.` and `timestamp.`.
    public static let requirementCertificateField = Self("requirement-certificate-field")
    public static let requirementInvalidObjectIdentifier = Self("requirement-invalid-object-identifier")
    /// A `path` that does not begin with a slash.
    public static let requirementRelativePath = Self("requirement-relative-path")
    /// A set where a single requirement is wanted.
    public static let requirementSetUnexpected = Self("requirement-set-unexpected")
    /// A single requirement where a set is wanted.
    public static let requirementSetExpected = Self("requirement-set-expected")
}

// Compiling.
extension CodeProblem.Code {
    /// A term of Linux where Apple's binary form is wanted.
    public static let requirementNotApple = Self("requirement-not-apple")
    /// A tree that only a program can build: its `unknown` carries a number that is known, or has no length.
    public static let requirementNotEncodable = Self("requirement-not-encodable")
}

// Blobs. The offset counts bytes of the blob, or of the set that holds it.
extension CodeProblem.Code {
    public static let requirementWrongMagic = Self("requirement-wrong-magic")
    /// A length, a count or a value that passes the end.
    public static let requirementCut = Self("requirement-cut")
    public static let requirementUnknownKind = Self("requirement-unknown-kind")
    /// A lightweight code requirement (kind 2, DER), which is another language.
    public static let requirementLightweight = Self("requirement-lightweight")
    /// An opcode that Weir does not know and that does not say how long its operand is.
    public static let requirementUnknownOpcode = Self("requirement-unknown-opcode")
    /// An entry of a set that points at nothing or outside.
    public static let requirementSetEntry = Self("requirement-set-entry")
    /// Entries of a set that share bytes.
    public static let requirementSetOverlap = Self("requirement-set-overlap")

    /// Collected: bytes after the expression or after the blob.
    ///
    /// Apple's reader does not look at them.
    public static let requirementTrailingBytes = Self("requirement-trailing-bytes")
    /// Collected: padding that is missing or not zero.
    ///
    /// Apple's reader does not look at it.
    public static let requirementPadding = Self("requirement-padding")
    /// Collected: flags on an opcode that is known, where they mean nothing.
    public static let requirementFlaggedOpcode = Self("requirement-flagged-opcode")
    /// Collected: two entries of one kind in a set; the first counts.
    public static let requirementSetDuplicate = Self("requirement-set-duplicate")
}
