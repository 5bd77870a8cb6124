// SPDX-License-Identifier: Apache-2.0

// Byte classes of 64 bytes at a time as bit masks, and triggers as shifted ANDs of them.

#include "byte_scan.h"

#include <string.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

#define BLOCK 64

/// Bit i of each mask speaks of byte i of a block.
typedef struct {
    uint64_t digit, letter, upper, hyphen, underscore, g, at, percent;
} masks;

static void classify_plain(const uint8_t *block, masks *m) {
    memset(m, 0, sizeof *m);
    for (unsigned i = 0; i < BLOCK; i++) {
        uint8_t c = block[i];
        uint64_t bit = 1ull << i;
        if ((uint8_t)(c - '0') <= 9) m->digit |= bit;
        if ((uint8_t)((c | 0x20) - 'a') <= 25) m->letter |= bit;
        if ((uint8_t)(c - 'A') <= 25) m->upper |= bit;
        if (c == '-') m->hyphen |= bit;
        if (c == '_') m->underscore |= bit;
        if (c == 'g') m->g |= bit;
        if (c == '@') m->at |= bit;
        if (c == '%') m->percent |= bit;
    }
}

#if defined(__SSE2__)
#define HAS_VECTORS 1
typedef __m128i vector;
static inline vector load(const uint8_t *p) { return _mm_loadu_si128((const __m128i *)p); }
static inline vector lower(vector v) { return _mm_or_si128(v, _mm_set1_epi8(0x20)); }
static inline vector equals(vector v, char c) { return _mm_cmpeq_epi8(v, _mm_set1_epi8(c)); }
static inline vector within(vector v, char from, int width) {
    vector distance = _mm_sub_epi8(v, _mm_set1_epi8(from));
    return _mm_cmpeq_epi8(_mm_min_epu8(distance, _mm_set1_epi8((char)width)), distance);
}
static inline uint64_t bits(vector a, vector b, vector c, vector d) {
    return (uint64_t)(uint32_t)_mm_movemask_epi8(a) | (uint64_t)(uint32_t)_mm_movemask_epi8(b) << 16 |
           (uint64_t)(uint32_t)_mm_movemask_epi8(c) << 32 | (uint64_t)(uint32_t)_mm_movemask_epi8(d) << 48;
}
#elif defined(__aarch64__)
#define HAS_VECTORS 1
typedef uint8x16_t vector;
static inline vector load(const uint8_t *p) { return vld1q_u8(p); }
static inline vector lower(vector v) { return vorrq_u8(v, vdupq_n_u8(0x20)); }
static inline vector equals(vector v, char c) { return vceqq_u8(v, vdupq_n_u8((uint8_t)c)); }
static inline vector within(vector v, char from, int width) {
    return vcleq_u8(vsubq_u8(v, vdupq_n_u8((uint8_t)from)), vdupq_n_u8((uint8_t)width));
}
static inline uint64_t bits(vector a, vector b, vector c, vector d) {
    // Each byte keeps the bit of its place among eight; three pairwise sums pack them.
    static const uint8_t places[16] = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
    vector place = vld1q_u8(places);
    vector low = vpaddq_u8(vandq_u8(a, place), vandq_u8(b, place));
    vector high = vpaddq_u8(vandq_u8(c, place), vandq_u8(d, place));
    vector all = vpaddq_u8(low, high);
    all = vpaddq_u8(all, all);
    return vgetq_lane_u64(vreinterpretq_u64_u8(all), 0);
}
#endif

#ifdef HAS_VECTORS
#define MASK(expression)                                                                                               \
    bits(({ vector v = q[0]; expression; }), ({ vector v = q[1]; expression; }), ({ vector v = q[2]; expression; }),   \
         ({ vector v = q[3]; expression; }))

/// Computes only the masks that `kinds` needs; the others stay as they were.
static inline void classify(const uint8_t *block, unsigned kinds, masks *m) {
    vector q[4] = {load(block), load(block + 16), load(block + 32), load(block + 48)};
    if (kinds & ~(WEIR_TRIGGER_DASHES | WEIR_TRIGGER_GH)) m->digit = MASK(within(v, '0', 9));
    if (kinds & (WEIR_TRIGGER_UPPER_PAIR | WEIR_TRIGGER_OTHER_PAIR)) m->upper = MASK(within(v, 'A', 25));
    if (kinds & WEIR_TRIGGER_OTHER_PAIR) m->letter = MASK(within(lower(v), 'a', 25));
    if (kinds & WEIR_TRIGGER_DASHES) m->hyphen = MASK(equals(v, '-'));
    if (kinds & WEIR_TRIGGER_GH) {
        m->g = MASK(equals(v, 'g'));
        m->underscore = MASK(equals(v, '_'));
    }
    if (kinds & WEIR_TRIGGER_AT) {
        m->at = MASK(equals(v, '@'));
        m->percent = MASK(equals(v, '%'));
    }
}
#else
static inline void classify(const uint8_t *block, unsigned kinds, masks *m) {
    (void)kinds;
    classify_plain(block, m);
}
#endif

/// Bit i tells of byte i + k, the next block's first bytes included.
#define AHEAD(field, k) (now->field >> (k) | then->field << (BLOCK - (k)))

static inline uint64_t triggers(const masks *now, const masks *then, unsigned kinds, uint64_t digit_before) {
    uint64_t found = 0;
    if (kinds & WEIR_TRIGGER_DIGIT_RUN) {
        uint64_t first = now->digit & ~(now->digit << 1 | digit_before);
        found |= first & AHEAD(digit, 1) & AHEAD(digit, 2) & AHEAD(digit, 3);
    }
    if (kinds & (WEIR_TRIGGER_UPPER_PAIR | WEIR_TRIGGER_OTHER_PAIR)) {
        uint64_t digits = AHEAD(digit, 2) & AHEAD(digit, 3);
        uint64_t upper = now->upper & AHEAD(upper, 1);
        if (kinds & WEIR_TRIGGER_UPPER_PAIR) found |= upper & digits;
        if (kinds & WEIR_TRIGGER_OTHER_PAIR) found |= now->letter & AHEAD(letter, 1) & ~upper & digits;
    }
    if (kinds & WEIR_TRIGGER_DASHES)
        found |= now->hyphen & AHEAD(hyphen, 1) & AHEAD(hyphen, 2) & AHEAD(hyphen, 3) & AHEAD(hyphen, 4) &
                 ~AHEAD(hyphen, 5);
    if (kinds & WEIR_TRIGGER_GH) found |= now->g & (AHEAD(underscore, 3) | AHEAD(underscore, 6));
    if (kinds & WEIR_TRIGGER_AT) found |= now->at | (now->percent & AHEAD(digit, 1) & AHEAD(digit, 2));
    return found;
}

static inline void classify_at(const uint8_t *bytes, size_t count, size_t offset, unsigned kinds, int plain, masks *m) {
    uint8_t padded[BLOCK];
    const uint8_t *block = bytes + offset;
    if (count < BLOCK || offset > count - BLOCK) {
        memset(padded, 0, BLOCK);
        if (offset < count) memcpy(padded, block, count - offset);
        block = padded;
    }
    if (plain)
        classify_plain(block, m);
    else
        classify(block, kinds, m);
}

static inline size_t find(const uint8_t *bytes, size_t count, unsigned kinds, uint32_t *found, size_t capacity,
                          size_t *scanned, int plain) {
    size_t end = count < WEIR_TRIGGER_BYTES ? 0 : count - (WEIR_TRIGGER_BYTES - 1);
    size_t offset = 0, written = 0;
    masks pair[2];
    memset(pair, 0, sizeof pair);
    if (end > 0) classify_at(bytes, count, 0, kinds, plain, &pair[0]);
    uint64_t digit_before = 0;
    for (unsigned turn = 0; offset < end && offset < UINT32_MAX - 2 * BLOCK && capacity - written >= BLOCK; turn ^= 1) {
        classify_at(bytes, count, offset + BLOCK, kinds, plain, &pair[turn ^ 1]);
        uint64_t hits = triggers(&pair[turn], &pair[turn ^ 1], kinds, digit_before);
        digit_before = pair[turn].digit >> (BLOCK - 1);
        if (end - offset < BLOCK) hits &= (1ull << (end - offset)) - 1;
        while (hits) {
            found[written++] = (uint32_t)offset + (uint32_t)__builtin_ctzll(hits);
            hits &= hits - 1;
        }
        offset += BLOCK;
    }
    *scanned = offset < end ? offset : end;
    return written;
}

size_t weir_find_triggers(const uint8_t *bytes, size_t count, unsigned kinds, uint32_t *found, size_t capacity,
                          size_t *scanned) {
    return find(bytes, count, kinds, found, capacity, scanned, 0);
}

size_t weir_find_triggers_plain(const uint8_t *bytes, size_t count, unsigned kinds, uint32_t *found, size_t capacity,
                                size_t *scanned) {
    return find(bytes, count, kinds, found, capacity, scanned, 1);
}

size_t weir_ascii_prefix(const uint8_t *bytes, size_t count) {
    size_t i = 0;
    for (; count - i >= 8; i += 8) {
        uint64_t word;
        memcpy(&word, bytes + i, 8);
        // The top bit of a byte is set when it was not ASCII, or when a subtraction took it below zero (NUL, or a byte
        // after one): either way the loop below looks closer.
        if ((word | (word - 0x0101010101010101ull)) & 0x8080808080808080ull) break;
    }
    while (i < count && bytes[i] != 0 && bytes[i] < 0x80) i++;
    return i;
}

size_t weir_find_byte(const uint8_t *bytes, size_t count, uint8_t byte) {
    const uint8_t *found = count ? memchr(bytes, byte, count) : NULL;
    return found ? (size_t)(found - bytes) : count;
}
