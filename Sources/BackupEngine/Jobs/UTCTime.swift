// Calendar time in UTC, in the two spellings this module needs; without Foundation, which is slow to load.

import Glibc

/// A moment, broken down in UTC.
struct UTCTime: Sendable, Hashable {
  /// Seconds since 1970.
  var secondsSince1970: Int64
  /// 0…999,999,999.
  var nanosecond: Int64 = 0

  /// The moment it is called.
  static func now() -> UTCTime {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return UTCTime(secondsSince1970: Int64(time.tv_sec), nanosecond: Int64(time.tv_nsec))
  }

  /// Such as `2026-01-31T09:05:00Z`.
  var iso8601: String {
    let parts = self.parts
    return "\(parts[0])-\(parts[1])-\(parts[2])T\(parts[3]):\(parts[4]):\(parts[5])Z"
  }

  /// Name of a backup for which none was given: `backup_YYYY_MM_DD_HH_MM_SS_<nanosecond>` (milvus-backup format).
  var backupName: String { "backup_\(parts.joined(separator: "_"))_\(nanosecond)" }

  /// Year, month, day, hour, minute, second; all but the year with two digits.
  private var parts: [String] {
    var seconds = time_t(secondsSince1970)
    var broken = tm()
    gmtime_r(&seconds, &broken)
    let numbers = [broken.tm_mon + 1, broken.tm_mday, broken.tm_hour, broken.tm_min, broken.tm_sec]
    return ["\(broken.tm_year + 1900)"] + numbers.map { $0 < 10 ? "0\($0)" : "\($0)" }
  }
}
