// Import by jobs of several segments: Milvus 2.4 and later, by REST.

import MilvusClient

/// Starts import jobs and looks at them.
protocol JobImporter: Sendable {
  /// Starts a job.
  /// - Parameter groups: for each segment its directories in Milvus' bucket: insert logs and, if there are any, delta logs;
  ///   or delta logs alone.
  /// - Returns: the job's number.
  func start(
    _ groups: [[String]], into collection: String, partition: String, in database: String, options: ImportOptions
  ) async throws(MilvusError) -> Int64

  /// How far a job is.
  func state(of job: Int64, in database: String) async throws(MilvusError) -> ImportProgress
}
