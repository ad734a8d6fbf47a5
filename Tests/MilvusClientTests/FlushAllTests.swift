// Flushing everything. The bytes were written down by hand from the numbers of Milvus' messages.

import Synchronization
import Testing

@testable import MilvusClient

@Suite(.serialized) struct FlushAllTests {
  @Test func `times and messages of each channel`() async throws {
    // flush_all_msgs {"p0": {id {"1"}, payload ff, properties {"_tt": "rs"}}}, cluster_info {cchannel "cc", pchannels "p0"}
    let response = "22190a02703012130a030a01311201ff1a090a035f7474120272732a08120263631a027030"
    let asked = Mutex<[UInt8]>([])
    let handlers: [String: FakeMilvus.Handler] = [
      "FlushAll": { _, _ in [UInt8](hex: response) },
      "GetFlushAllState": { call, _ in
        asked.withLock { $0 = Array(call.message) }
        return [UInt8](hex: "1001")
      },
    ]
    try await withFakeClient(handlers) { client, _ in
      let flush = try await client.flushAll()
      #expect(flush.timestamps == ["p0": 1000] && flush.timestamp == 0)
      #expect(flush.controlChannel == "cc" && flush.physicalChannels == ["p0"])
      // What this program does not know of a message is in it all the same.
      let message = try #require(flush.messages["p0"])
      #expect(message.count == 19 && message.contains(0xff))
      #expect(try await client.isFlushed(flush))
    }
    #expect(asked.withLock { $0 } == [UInt8](hex: "2a070a02703010e807"))
  }

  @Test(arguments: ["", "22060a0270301200", "220f0a02703012091a070a025f74120131"])
  func `an answer without a time is refused`(response: String) async throws {
    try await withFakeClient(["FlushAll": { _, _ in [UInt8](hex: response) }]) { client, _ in
      let error = await #expect(throws: MilvusError.self) { try await client.flushAll() }
      #expect(error?.reason.contains("time") == true)
    }
  }
}
