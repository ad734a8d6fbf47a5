import CurlHTTP
import ObjectStore
import StoreConformance
import Testing

@testable import S3Store

/// The contracts of `ObjectStore`, on the real service named by S3_TEST_ENDPOINT.
@Suite(.enabled(if: Service.isNamed), .timeLimit(.minutes(10))) struct ConformanceTests {
  /// SeaweedFS, which scripts/test runs, keeps objects in a tree of directories: it cleans paths, and what it does with
  /// an object beside a directory of its name is not S3's. Against another service, these may be checked, too.
  private static let capabilities = StoreCapabilities(
    emptySegments: .undefined, dotSegments: .undefined, objectBesideDirectory: .undefined, longestSegment: 1024)

  @Test(arguments: Conformance.all) func retryingS3(_ contract: ConformanceCheck) async throws {
    try await Service.use { service in
      let second = try S3Store(try Service.configuration(), transport: try HTTPEngine())
      try await contract.perform(
        on: ConformanceSubject(
          RetryingStore(service.store), prefix: service.prefix, secondClient: RetryingStore(second),
          capabilities: Self.capabilities))
    }
  }
}
