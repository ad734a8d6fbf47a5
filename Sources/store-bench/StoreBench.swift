// The program behind `scripts/bench stores`: drives the store layers as the mount does, one workload a run, so that the
// script can time whole processes the way it times rclone and s5cmd. Not a product; users do not get it.
//
// Invariants: what a command holds of objects is bounded by its byte budget; a command that could not move every byte
// or key it was told to ends with an error.

import ArgumentParser

/// `store-bench`.
@main
struct StoreBench: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "store-bench",
    abstract: "Workloads over the store layers, for scripts/bench.",
    discussion: """
      The store is named by the environment: STORE_BENCH_ENDPOINT (http://host:port), STORE_BENCH_BUCKET,
      STORE_BENCH_ACCESS_KEY, STORE_BENCH_SECRET_KEY.
      """,
    subcommands: [
      GetCommand.self, PutCommand.self, GetManyCommand.self, PutManyCommand.self, ListCommand.self,
      WebGetCommand.self, WebSmallCommand.self,
    ])
}
