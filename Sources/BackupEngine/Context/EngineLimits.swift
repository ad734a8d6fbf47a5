// How much a job may do at once and how long it waits. A value; every number has a bound that keeps it sensible.

/// Bounds of the jobs of one store.
public struct EngineLimits: Sendable, Hashable {
  /// Objects moved or deleted at the same time by one job; at least 1.
  public var copiesInFlight: Int
  /// Bytes that all jobs sharing a context hold in memory at once.
  public var bytesInFlight: Int
  /// Collections worked on at the same time by one job; at least 1.
  public var collectionsInFlight: Int
  /// Import tasks handed to a Milvus up to 2.3, which runs one at a time, by one job at the same time; at least 1.
  public var importsInFlight: Int
  /// The same for later versions, which run many at once.
  public var parallelImportsInFlight = 64
  /// Temporary space in Milvus' bucket, when the backup lies elsewhere, in multiples of `importUnitBytes`; at least 1.
  public var stagedUnitsInFlight: Int
  /// Bytes of insert and delta logs given to one import task where there is a choice. Milvus up to 2.3 fails a task
  /// that works for longer than `rootCoord.importTaskExpiration` (900 s), so units are kept well below that.
  public var importUnitBytes: Int64
  /// Segments given to one import job by REST, as many as milvus-backup gives.
  public var segmentsPerImportJob = 256
  /// Seconds to wait until Milvus says that a flush is done.
  public var flushPatience: Double
  /// Seconds Milvus may stay away during a restore before the job gives up.
  public var milvusPatience: Double
  /// Seconds a restore that is undone waits for import tasks under way, which Milvus 2.3 cannot be told to stop: one whose
  /// collection is gone is tried again for about 40 s, and nothing else is imported meanwhile.
  public var undoPatience: Double
  /// Seconds a restore waits until Milvus has loaded a collection.
  public var loadPatience: Double
  /// Times the data of a collection is read again because Milvus compacted it meanwhile.
  public var attempts: Int

  /// Makes limits.
  public init(
    copiesInFlight: Int = 16, bytesInFlight: Int = 128 << 20, collectionsInFlight: Int = 2, importsInFlight: Int = 8,
    stagedUnitsInFlight: Int = 2, importUnitBytes: Int64 = 1 << 30, flushPatience: Double = 600,
    milvusPatience: Double = 180, undoPatience: Double = 60, loadPatience: Double = 600, attempts: Int = 4
  ) {
    self.copiesInFlight = max(1, copiesInFlight)
    self.bytesInFlight = max(1, bytesInFlight)
    self.collectionsInFlight = max(1, collectionsInFlight)
    self.importsInFlight = max(1, importsInFlight)
    self.stagedUnitsInFlight = max(1, stagedUnitsInFlight)
    self.importUnitBytes = max(1, importUnitBytes)
    self.flushPatience = flushPatience
    self.milvusPatience = milvusPatience
    self.undoPatience = undoPatience
    self.loadPatience = loadPatience
    self.attempts = max(1, attempts)
  }
}
