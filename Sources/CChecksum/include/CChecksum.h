/* CRC32C (Castagnoli polynomial, RFC 3720 appendix B.4), the checksum that S3 calls crc32c.
 *
 * Both functions continue a checksum: 0 begins one, the value for AB is that of B continued from that of A. They are
 * pure and may be called from any thread. */
#ifndef CCHECKSUM_H
#define CCHECKSUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* By the processor's own instructions where it has them, otherwise portably. */
uint32_t cchecksum_crc32c(uint32_t checksum, const void *bytes, size_t count);

/* Tables only; same values. */
uint32_t cchecksum_crc32c_portable(uint32_t checksum, const void *bytes, size_t count);

/* Whether cchecksum_crc32c uses the processor's instructions. */
bool cchecksum_crc32c_uses_hardware(void);

#endif
