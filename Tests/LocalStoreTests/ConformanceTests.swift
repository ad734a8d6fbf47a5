import LocalStore
import ObjectStore
import StoreConformance
import Testing

@Suite(.timeLimit(.minutes(5))) struct ConformanceTests {
  private func check(
    _ contract: ConformanceCheck, _ wrap: (LocalStore) -> any ObjectStore
  ) async throws {
    let (directory, other) = (try TemporaryDirectory(), try TemporaryDirectory())
    try await contract.perform(
      on: ConformanceSubject(
        wrap(directory.store), prefix: "test/", secondClient: directory.store, otherBucket: other.store,
        capabilities: .tree))
    // Neither temporary files nor empty directories are left.
    #expect(try directory.everything() == [])
    #expect(try other.everything() == [])
  }

  @Test(arguments: Conformance.all) func local(_ contract: ConformanceCheck) async throws {
    try await check(contract) { $0 }
  }

  @Test(arguments: Conformance.all) func localDecorated(_ contract: ConformanceCheck) async throws {
    try await check(contract) {
      RetryingStore(MeteredStore(LimitingStore($0, requests: 4, bytes: ByteBudget(capacity: 1 << 20))))
    }
  }
}
