import CurlHTTP
import ObjectStore
import StoreConformance
import Testing

@testable import S3Store

/// The contracts of `ObjectStore`, on the real service named by S3_TEST_ENDPOINT: that of scripts/test is SeaweedFS.
///
/// Against another service, what is undefined there may be checked, too.
@Suite(.enabled(if: Service.isNamed), .timeLimit(.minutes(10))) struct ConformanceTests {
  @Test(arguments: Conformance.all) func retryingS3(_ contract: ConformanceCheck) async throws {
    try await Service.use { service in
      let second = try S3Store(try Service.configuration(), transport: try HTTPEngine())
      try await contract.perform(
        on: ConformanceSubject(
          RetryingStore(service.store), prefix: service.prefix, secondClient: RetryingStore(second),
          capabilities: .seaweedFS))
    }
  }
}
