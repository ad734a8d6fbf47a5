// Dates of S3 and HTTP, without a calendar library: Gregorian, UTC, whole seconds.

/// Conversions between seconds since 1970 (UTC) and the texts of the wire.
enum Timestamp {
  /// `20260131T235959Z`, the form of `x-amz-date` (Signature Version 4).
  static func basicISO8601(_ seconds: Int64) -> String {
    let days = floorDivide(seconds, 86_400)
    let (year, month, day) = civil(days)
    let rest = Int(seconds - days * 86_400)
    var text: [UInt8] = []
    text.reserveCapacity(16)
    appendPadded(year, 4, to: &text)
    appendPadded(month, 2, to: &text)
    appendPadded(day, 2, to: &text)
    text.append(UInt8(ascii: "T"))
    appendPadded(rest / 3600, 2, to: &text)
    appendPadded(rest / 60 % 60, 2, to: &text)
    appendPadded(rest % 60, 2, to: &text)
    text.append(UInt8(ascii: "Z"))
    return String(decoding: text, as: UTF8.self)
  }

  /// Parses `2026-01-31T23:59:59.000Z` (fraction optional, cut off). Nil when it is not that.
  static func parseISO8601(_ text: some Collection<UInt8>) -> Int64? {
    let bytes = Array(text)
    guard bytes.count >= 20, bytes[4] == UInt8(ascii: "-"), bytes[7] == UInt8(ascii: "-"),
      bytes[10] == UInt8(ascii: "T"), bytes[13] == UInt8(ascii: ":"), bytes[16] == UInt8(ascii: ":"),
      bytes.last == UInt8(ascii: "Z"), bytes.count == 20 || bytes[19] == UInt8(ascii: "."),
      let year = number(bytes[0..<4]), let month = number(bytes[5..<7]), let day = number(bytes[8..<10]),
      let hour = number(bytes[11..<13]), let minute = number(bytes[14..<16]), let second = number(bytes[17..<19])
    else { return nil }
    return seconds(year, month, day, hour, minute, second)
  }

  /// Parses `Sat, 31 Jan 2026 23:59:59 GMT` (IMF-fixdate of RFC 9110). Nil when it is not that.
  static func parseHTTP(_ text: String) -> Int64? {
    let bytes = Array(text.utf8)
    guard bytes.count == 29, bytes[3] == UInt8(ascii: ","), bytes[19] == UInt8(ascii: ":"),
      bytes[22] == UInt8(ascii: ":"), bytes[26...].elementsEqual("GMT".utf8), let day = number(bytes[5..<7]),
      let month = months.firstIndex(where: { bytes[8..<11].elementsEqual($0.utf8) }), let year = number(bytes[12..<16]),
      let hour = number(bytes[17..<19]), let minute = number(bytes[20..<22]), let second = number(bytes[23..<25])
    else { return nil }
    return seconds(year, month + 1, day, hour, minute, second)
  }

  private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

  private static func number(_ digits: ArraySlice<UInt8>) -> Int? {
    var value = 0
    for digit in digits {
      guard digit.isASCIIDigit else { return nil }
      value = value * 10 + Int(digit - UInt8(ascii: "0"))
    }
    return value
  }

  private static func appendPadded(_ value: Int, _ width: Int, to text: inout [UInt8]) {
    var scale = 1
    for _ in 1..<width { scale *= 10 }
    while scale > 0 {
      text.append(UInt8(ascii: "0") + UInt8(value / scale % 10))
      scale /= 10
    }
  }

  private static func seconds(
    _ year: Int, _ month: Int, _ day: Int, _ hour: Int, _ minute: Int, _ second: Int
  ) -> Int64? {
    // A leap second (60) counts as the first of the next minute.
    guard (1...12).contains(month), (1...31).contains(day), hour < 24, minute < 60, second <= 60 else { return nil }
    return days(year, month, day) * 86_400 + Int64(hour * 3600 + minute * 60 + second)
  }

  // Days are counted in years that begin in March, so that the leap day is the last; 400 years have 146,097 days, and
  // 719,468 days lie between 1 March of the year 0 and 1 January 1970.

  private static func days(_ year: Int, _ month: Int, _ day: Int) -> Int64 {
    let shifted = month <= 2 ? year - 1 : year
    let era = floorDivide(Int64(shifted), 400)
    let yearOfEra = Int64(shifted) - era * 400
    let dayOfYear = Int64((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1)
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
  }

  private static func civil(_ daysSince1970: Int64) -> (year: Int, month: Int, day: Int) {
    let days = daysSince1970 + 719_468
    let era = floorDivide(days, 146_097)
    let dayOfEra = days - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * dayOfYear + 2) / 153
    let month = Int(shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9)
    let year = Int(yearOfEra + era * 400) + (month <= 2 ? 1 : 0)
    return (year, month, Int(dayOfYear - (153 * shiftedMonth + 2) / 5) + 1)
  }

  private static func floorDivide(_ dividend: Int64, _ divisor: Int64) -> Int64 {
    dividend >= 0 ? dividend / divisor : (dividend - divisor + 1) / divisor
  }
}
