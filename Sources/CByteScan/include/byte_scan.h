// SPDX-License-Identifier: Apache-2.0

// The first stage of inspection: where in a run of bytes a confirmer should look. It may propose too much, never too
// little.

#ifndef WEIR_BYTE_SCAN_H
#define WEIR_BYTE_SCAN_H

#include <stddef.h>
#include <stdint.h>

/// What to propose. Letters: d digit, L letter, x any byte.
enum weir_trigger {
    WEIR_TRIGGER_DIGIT_RUN = 1,    // the first byte of a run of four or more digits
    WEIR_TRIGGER_UPPER_PAIR = 2,   // LLdd, both letters upper case
    WEIR_TRIGGER_OTHER_PAIR = 4,   // LLdd, any other case
    WEIR_TRIGGER_DASHES = 8,       // the last five hyphens of five or more
    WEIR_TRIGGER_GH = 16,          // gxx_ and gxxxxx_
    WEIR_TRIGGER_AT = 32           // @, and %dd
};

/// No trigger is recognised by more bytes than these.
#define WEIR_TRIGGER_BYTES 7

/// The least capacity of `found`.
#define WEIR_TRIGGER_CAPACITY 64

/// Writes the ascending offsets of triggers among the first `*scanned` bytes and returns how many there are.
///
/// `*scanned` is less than `count` when `found` was nearly full, and always leaves out the last
/// `WEIR_TRIGGER_BYTES - 1` bytes, whose triggers may be cut short.
size_t weir_find_triggers(const uint8_t *bytes, size_t count, unsigned kinds, uint32_t *found, size_t capacity,
                          size_t *scanned);

/// The same without vector instructions: for other processors, and to check the fast one against.
size_t weir_find_triggers_plain(const uint8_t *bytes, size_t count, unsigned kinds, uint32_t *found, size_t capacity,
                                size_t *scanned);

/// How many bytes from the start are ASCII other than NUL.
size_t weir_ascii_prefix(const uint8_t *bytes, size_t count);

/// The offset of the first `byte`, or `count`.
size_t weir_find_byte(const uint8_t *bytes, size_t count, uint8_t byte);

#endif
