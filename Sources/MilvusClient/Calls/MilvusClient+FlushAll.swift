// Flushing everything at once (`features.flushAll`).

internal import SwiftProtobuf

extension ProtoFlushAllResponse: MilvusResponse {}
extension ProtoGetFlushAllStateResponse: MilvusResponse {}

extension MilvusClient {
  /// Seals all growing segments of all collections of all databases, and starts writing them out.
  public func flushAll() async throws(MilvusError) -> FlushAllResult {
    let response: ProtoFlushAllResponse = try await call("FlushAll", ProtoFlushAllRequest(), kind: .long)
    var result = FlushAllResult(
      timestamps: [:], timestamp: response.flushAllTs, controlChannel: response.clusterInfo.cchannel,
      physicalChannels: response.clusterInfo.pchannels)
    for (channel, message) in response.flushAllMsgs {
      // Source: Milvus' streaming messages carry their time tick as the property `_tt`, in base 36.
      guard let text = message.properties["_tt"], let tick = UInt64(text, radix: 36) else {
        throw malformedAnswer("the flush message of \(channel) has no time tick", call: "FlushAll", object: nil)
      }
      result.timestamps[channel] = tick
      result.messages[channel] = try serializedBytes(of: message)
    }
    guard result.timestamp > 0 || !result.timestamps.isEmpty else {
      throw malformedAnswer("the answer has no time", call: "FlushAll", object: nil)
    }
    return result
  }

  /// Whether all that a flush is about is written out.
  public func isFlushed(_ flush: FlushAllResult) async throws(MilvusError) -> Bool {
    let request = ProtoGetFlushAllStateRequest.with {
      $0.flushAllTs = flush.timestamp
      $0.flushAllTss = flush.timestamps
    }
    let response: ProtoGetFlushAllStateResponse = try await call("GetFlushAllState", request)
    return response.flushed
  }
}
