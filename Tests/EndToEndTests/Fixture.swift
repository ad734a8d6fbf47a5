// A small backup in both stores, made once a run by the program itself, for tests that need one to break.

/// The backup `fixture` of the collection `fixture`.
enum Fixture {
  static let scripts = "\(Testbed.project)/scripts/testbed.d"

  private static let made = Task {
    try await Oracle.remove("A", "backup/fixture/")
    try await Oracle.remove("B", "backup/fixture/")
    let address = try Testbed.instance("A").milvus.address
    try await run("\"$PYTHON\" '\(scripts)/fill.py' --address \(address) --collection fixture --rows 3000", limit: 300)
    try await Workplace.with { place in
      try await run("\"$BACKUPFS\" create --config '\(place.configs)/milvus_A.yaml' -c fixture -n fixture")
      try await run("cp -r '\(place.mount)/milvus_A/fixture' '\(place.mount)/milvus_B/'")
    }
  }

  /// Makes it, if that was not done yet.
  static func ensure() async throws { try await made.value }
}
