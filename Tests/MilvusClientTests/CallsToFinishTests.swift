// Calls that are waited for before a process ends.

import Testing

@testable import MilvusClient

@Suite struct CallsToFinishTests {
  @Test func `idle when each call has ended`() {
    let calls = CallsToFinish()
    #expect(calls.isIdle)
    #expect(calls.begin())
    #expect(calls.begin())
    calls.end()
    #expect(!calls.isIdle)
    calls.end()
    #expect(calls.isIdle)
  }

  @Test func `none begins after the end was told, and those under way are still seen`() {
    let calls = CallsToFinish()
    #expect(calls.begin())
    calls.endAll()
    #expect(!calls.begin())
    #expect(!calls.isIdle)
    calls.end()
    #expect(calls.isIdle)
  }
}
