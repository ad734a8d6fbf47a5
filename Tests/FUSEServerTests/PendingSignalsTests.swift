import Testing

@testable import FUSEServer

@Suite struct PendingSignalsTests {
  private static func status(own: UInt64 = 0, shared: UInt64 = 0, blocked: UInt64 = 0) -> [UInt8] {
    func hex(_ value: UInt64) -> String {
      let digits = String(value, radix: 16)
      return String(repeating: "0", count: 16 - digits.count) + digits
    }
    let text = """
      Name:\tcp: SigPnd
      Tgid:\t12
      SigQ:\t0/95000
      SigPnd:\t\(hex(own))
      ShdPnd:\t\(hex(shared))
      SigBlk:\t\(hex(blocked))
      SigIgn:\t0000000000000000
      """
    return Array(text.utf8)
  }

  private static func bit(_ signal: Int) -> UInt64 { 1 << UInt64(signal - 1) }

  @Test(arguments: [1, 2, 3, 9, 10, 14, 15])
  func signalsThatAskToStop(signal: Int) {
    #expect(PendingSignals(status: Self.status(own: Self.bit(signal)))?.askToStop == true)
    #expect(PendingSignals(status: Self.status(shared: Self.bit(signal)))?.askToStop == true)
    #expect(PendingSignals(status: Self.status(own: Self.bit(signal), blocked: Self.bit(signal)))?.askToStop == false)
  }

  @Test(arguments: [17, 18, 19, 20, 21, 22, 23, 26, 27, 28, 29])
  func signalsThatDoNot(signal: Int) {
    #expect(PendingSignals(status: Self.status(own: Self.bit(signal)))?.askToStop == false)
    #expect(PendingSignals(status: Self.status(own: Self.bit(signal) | Self.bit(9)))?.askToStop == true)
  }

  @Test func whatIsNotUnderstoodIsNil() {
    #expect(PendingSignals(status: Array("Name:\tcp\n".utf8)) == nil)
    #expect(PendingSignals(status: []) == nil)
  }
}
