/* CRC32C, three ways at once on x86-64 with SSE4.2 and PCLMULQDQ, eight bytes per step by tables elsewhere.
 *
 * The crc32 instruction takes three cycles but one can begin in each cycle, so three independent streams run at
 * three times the speed of one. Their checksums are joined by polynomial multiplication: the checksum of A followed by
 * n bytes is crc(A) * x^(8n) mod P. */
#include "CChecksum.h"

#include <string.h>

/* Reflected polynomial. */
#define POLYNOMIAL 0x82F63B78u

static uint32_t tables[8][256];

/* Runs before main, hence before any thread could look. */
__attribute__((constructor)) static void make_tables(void) {
  for (uint32_t byte = 0; byte < 256; byte++) {
    uint32_t value = byte;
    for (int bit = 0; bit < 8; bit++) value = (value >> 1) ^ ((value & 1) ? POLYNOMIAL : 0);
    tables[0][byte] = value;
  }
  for (int table = 1; table < 8; table++) {
    for (uint32_t byte = 0; byte < 256; byte++) {
      uint32_t before = tables[table - 1][byte];
      tables[table][byte] = (before >> 8) ^ tables[0][before & 0xFF];
    }
  }
}

uint32_t cchecksum_crc32c_portable(uint32_t checksum, const void *bytes, size_t count) {
  const uint8_t *next = bytes;
  uint32_t state = ~checksum;
  for (; count >= 8; count -= 8, next += 8) {
    uint32_t low = (uint32_t)next[0] | (uint32_t)next[1] << 8 | (uint32_t)next[2] << 16 | (uint32_t)next[3] << 24;
    low ^= state;
    state = tables[7][low & 0xFF] ^ tables[6][(low >> 8) & 0xFF] ^ tables[5][(low >> 16) & 0xFF] ^
            tables[4][low >> 24] ^ tables[3][next[4]] ^ tables[2][next[5]] ^ tables[1][next[6]] ^ tables[0][next[7]];
  }
  for (; count > 0; count--, next++) state = (state >> 8) ^ tables[0][(state ^ *next) & 0xFF];
  return ~state;
}

#if defined(__x86_64__)

#include <cpuid.h>
#include <immintrin.h>

/* Bytes of each of the three streams of a block. */
#define LANE 1024
/* x^(8n-33) mod P, reflected, for n = LANE and n = 2 * LANE: multiplying without carry shifts a reflected product by
 * one place, and reducing it with the crc32 instruction multiplies by x^32. */
#define AFTER_ONE_LANE 0x170076FAu
#define AFTER_TWO_LANES 0xA51B6135u

static inline uint64_t load(const uint8_t *bytes) {
  uint64_t value;
  memcpy(&value, bytes, sizeof value);
  return value;
}

__attribute__((target("sse4.2,pclmul")))
static inline uint64_t moved(uint64_t checksum, uint32_t distance) {
  __m128i product = _mm_clmulepi64_si128(_mm_cvtsi64_si128((long long)checksum), _mm_cvtsi32_si128((int)distance), 0);
  return _mm_crc32_u64(0, (uint64_t)_mm_cvtsi128_si64(product));
}

__attribute__((target("sse4.2,pclmul")))
static uint32_t hardware(uint32_t checksum, const uint8_t *next, size_t count) {
  uint64_t first = (uint32_t)~checksum;
  for (; count >= 3 * LANE; count -= 3 * LANE, next += 3 * LANE) {
    uint64_t second = 0, third = 0;
    for (size_t offset = 0; offset < LANE; offset += 8) {
      first = _mm_crc32_u64(first, load(next + offset));
      second = _mm_crc32_u64(second, load(next + LANE + offset));
      third = _mm_crc32_u64(third, load(next + 2 * LANE + offset));
    }
    first = moved(first, AFTER_TWO_LANES) ^ moved(second, AFTER_ONE_LANE) ^ third;
  }
  for (; count >= 8; count -= 8, next += 8) first = _mm_crc32_u64(first, load(next));
  for (; count > 0; count--, next++) first = _mm_crc32_u8((uint32_t)first, *next);
  return ~(uint32_t)first;
}

static bool has_hardware;

__attribute__((constructor)) static void look_at_processor(void) {
  unsigned a, b, c = 0, d;
  has_hardware = __get_cpuid(1, &a, &b, &c, &d) && (c & bit_SSE4_2) && (c & bit_PCLMUL);
}

bool cchecksum_crc32c_uses_hardware(void) { return has_hardware; }

uint32_t cchecksum_crc32c(uint32_t checksum, const void *bytes, size_t count) {
  return has_hardware ? hardware(checksum, bytes, count) : cchecksum_crc32c_portable(checksum, bytes, count);
}

#else

bool cchecksum_crc32c_uses_hardware(void) { return false; }

uint32_t cchecksum_crc32c(uint32_t checksum, const void *bytes, size_t count) {
  return cchecksum_crc32c_portable(checksum, bytes, count);
}

#endif
