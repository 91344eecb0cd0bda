// CRC-32 with the carry-less multiplication that x86-64 has had since 2010, and with tables elsewhere.
//
// Source of the method: V. Gopal et al., "Fast CRC Computation for Generic Polynomials Using PCLMULQDQ" (Intel, 2009),
// bit-reflected. A message is folded to 16 bytes that leave the same remainder; those go through the tables.
#include "CSimdjson.h"

#include <cstring>

namespace {

constexpr uint32_t polynomial = 0xEDB88320;  // reflected, as zlib has it

struct Tables {
    uint32_t of[8][256];

    constexpr Tables() : of{} {
        for (uint32_t byte = 0; byte < 256; byte++) {
            uint32_t crc = byte;
            for (int bit = 0; bit < 8; bit++) crc = crc & 1 ? crc >> 1 ^ polynomial : crc >> 1;
            of[0][byte] = crc;
        }
        for (int table = 1; table < 8; table++) {
            for (int byte = 0; byte < 256; byte++) {
                uint32_t before = of[table - 1][byte];
                of[table][byte] = before >> 8 ^ of[0][before & 0xFF];
            }
        }
    }
};

constexpr Tables tables;

/// Eight bytes a step (M. Kounavis, F. Berry, "A Systematic Approach to Building High Performance Software-based CRC
/// Generators", 2005).
uint32_t by_table(uint32_t crc, const uint8_t *bytes, size_t count) {
    for (; count >= 8; bytes += 8, count -= 8) {
        crc ^= static_cast<uint32_t>(bytes[0]) | static_cast<uint32_t>(bytes[1]) << 8 |
               static_cast<uint32_t>(bytes[2]) << 16 | static_cast<uint32_t>(bytes[3]) << 24;
        crc = tables.of[7][crc & 0xFF] ^ tables.of[6][crc >> 8 & 0xFF] ^ tables.of[5][crc >> 16 & 0xFF] ^
              tables.of[4][crc >> 24] ^ tables.of[3][bytes[4]] ^ tables.of[2][bytes[5]] ^ tables.of[1][bytes[6]] ^
              tables.of[0][bytes[7]];
    }
    for (; count > 0; bytes++, count--) crc = crc >> 8 ^ tables.of[0][(crc ^ *bytes) & 0xFF];
    return crc;
}

}  // namespace

#if defined(__x86_64__)
#include <immintrin.h>

namespace {

#define WITH_CLMUL __attribute__((target("pclmul,sse2")))

WITH_CLMUL __m128i load(const uint8_t *bytes) { return _mm_loadu_si128(reinterpret_cast<const __m128i *>(bytes)); }

/// Moves `sum` as many bits up as `shift` stands for, and adds `next`: the remainder stays the same.
WITH_CLMUL __m128i fold(__m128i sum, __m128i shift, __m128i next) {
    __m128i low = _mm_clmulepi64_si128(sum, shift, 0x00);
    __m128i high = _mm_clmulepi64_si128(sum, shift, 0x11);
    return _mm_xor_si128(next, _mm_xor_si128(low, high));
}

/// `count` is 64 at least.
WITH_CLMUL uint32_t by_multiplication(uint32_t crc, const uint8_t *bytes, size_t count) {
    // x^(512+32), x^(512-32) and x^(128+32), x^(128-32) modulo the polynomial, reflected and moved up one bit.
    const __m128i by_512 = _mm_set_epi64x(0x1C6E41596, 0x154442BD4);
    const __m128i by_128 = _mm_set_epi64x(0x0CCAA009E, 0x1751997D0);
    __m128i sums[4] = {load(bytes), load(bytes + 16), load(bytes + 32), load(bytes + 48)};
    sums[0] = _mm_xor_si128(sums[0], _mm_cvtsi32_si128(static_cast<int>(crc)));
    bytes += 64;
    count -= 64;
    for (; count >= 64; bytes += 64, count -= 64) {
        for (int lane = 0; lane < 4; lane++) sums[lane] = fold(sums[lane], by_512, load(bytes + 16 * lane));
    }
    __m128i sum = sums[0];
    for (int lane = 1; lane < 4; lane++) sum = fold(sum, by_128, sums[lane]);
    for (; count >= 16; bytes += 16, count -= 16) sum = fold(sum, by_128, load(bytes));
    uint8_t folded[16];
    std::memcpy(folded, &sum, sizeof folded);
    return by_table(by_table(0, folded, sizeof folded), bytes, count);
}

}  // namespace
#endif

uint32_t csj_crc32(const uint8_t *bytes, size_t count) {
#if defined(__x86_64__)
    static const bool can_multiply = __builtin_cpu_supports("pclmul");
    if (count >= 64 && can_multiply) return ~by_multiplication(~0u, bytes, count);
#endif
    return ~by_table(~0u, bytes, count);
}
