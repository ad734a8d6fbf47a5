// `mount`: shows stores as directories, in the foreground or as a daemon.

import ArgumentParser
import BackupEngine
import BackupFileSystem
import Configuration
import FUSEServer
import Glibc
import Logging
import ObjectStore
import SystemPackage

/// `milvus-backupfs mount`.
struct MountCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "mount",
    abstract: "Mount the stores of a configuration file or folder; returns when the mount answers.",
    discussion: """
      Each configuration file becomes a directory of its name, each backup of its bucket a directory in that.
      Unmount with: milvus-backupfs umount MOUNTPOINT
      """)

  @Argument(help: "A configuration file, or a folder of them.")
  var configuration: String

  @Argument(help: "An empty directory.")
  var mountPoint: String

  @Flag(
    name: [.customShort("f"), .customLong("foreground")], help: "Stay in the foreground, logging to standard error.")
  var foreground = false

  @Flag(name: .customLong("read-only"), help: "Refuse everything that would change a store.")
  var readOnly = false

  @Flag(name: .customLong("allow-other"), help: "Let other users use the mount.")
  var allowOther = false

  @Flag(help: "Remove the mount of a daemon that is gone first.")
  var replace = false

  @Flag(
    name: .customLong("write-behind"),
    help:
      "Close small files before they are in the store: faster from local disks, but only fsync, `sync DIRECTORY` and umount tell whether they arrived."
  )
  var writeBehind = false

  @Option(
    name: .customLong("read-only-store"), help: "Refuse changes to this store only; may be repeated.")
  var readOnlyStores: [String] = []

  @Option(help: "Where the daemon logs to.")
  var log: String?

  @Option(
    name: .customShort("o"),
    help:
      "Options in the words of mount(8): ro, allow_other, uid=, gid=, umask=, lifetime=, log=, replace, write_behind; may be repeated."
  )
  var options: [String] = []

  @OptionGroup var overrides: OverrideOptions

  /// Where a daemon tells its parent that the mount answers; set by the program itself.
  @Option(name: .customLong("ready-descriptor"), help: .hidden)
  var readyDescriptor: Int32?

  mutating func run() async throws {
    let list: MountOptionList
    do {
      list = try MountOptionList(options.joined(separator: ","))
    } catch {
      throw CommandFailure("-o: \(error.message).")
    }
    readOnly = readOnly || list.isReadOnly
    allowOther = allowOther || list.allowsOther
    replace = replace || list.replacesStale
    writeBehind = writeBehind || list.writesBehind
    log = log ?? list.log
    if foreground {
      try await serve(list)
    } else {
      try MountDaemon(command: self).start()
    }
  }

  private func serve(_ list: MountOptionList) async throws {
    // Whoever started the daemon may be gone when it reports.
    signal(SIGPIPE, SIG_IGN)
    let ready = ReadinessReport(descriptor: readyDescriptor)
    do {
      try await mountAndServe(ready, list)
    } catch {
      ready.failed(error)
      throw error
    }
  }

  private func mountAndServe(_ ready: ReadinessReport, _ list: MountOptionList) async throws {
    let logger = Logger.daemon
    let opener = try StoreOpener(logger: logger)
    let stores = try openStores(opener, ready)
    let jobs = JobCenter(
      journal: JobJournal(directory: StateDirectory.jobs, isService: true) { warning in logger.warning("\(warning)") })
    var settings = FileSystemSettings(owner: list.owner ?? geteuid(), group: list.group ?? getegid())
    settings.listingLifetime = list.lifetime ?? settings.listingLifetime
    if let mask = list.mask {
      settings.directoryPermissions = 0o777 & ~mask
      settings.filePermissions = 0o666 & ~mask
    }
    settings.writesBehind = writeBehind
    settings.report = { logger.error("\($0)") }
    settings.journalDirectory = StateDirectory.path().map { FilePath($0) }
    let metrics = stores.map(\.metrics)
    settings.throttles = { metrics.reduce(0) { $0 + $1.throttles } }
    let system = BackupFileSystem(
      stores: try mountedStores(stores), settings: settings,
      controls: JobControlFiles(stores: stores, jobs: jobs, logger: logger))
    let server = FUSEServer(
      system,
      options: MountOptions(
        mountPoint: mountPoint, readOnly: readOnly, allowOther: allowOther, replacesStale: replace), logger: logger)
    system.countRequests { [weak server] in server?.pendingRequests ?? 0 }
    do {
      try server.mount()
    } catch {
      throw CommandFailure(error)
    }
    let signals = TerminationSignals { [mountPoint] in
      logger.notice("asked to end: unmounting \(mountPoint)")
      ServiceManager.notify("STOPPING=1")
      try? server.unmount(.now)
      Task { await jobs.shutdown() }
    }
    defer { signals.cancel() }
    async let serving: Void = server.run()
    for line in await system.recoverCopies() { logger.notice("\(line)") }
    // Uploads of daemons that died. A store that is away must not keep the others waiting.
    let sweeping = Task { await sweepUploads(of: stores, journal: opener.journal, logger) }
    defer { sweeping.cancel() }
    let recovering = Task {
      let contexts = stores.map(\.context)
      for line in await jobs.recover(in: contexts) { logger.notice("\(line)") }
      // Copies that Milvus was still importing when the program ended that had made them.
      while await jobs.removeRemains(in: contexts) { try await Task.sleep(for: .seconds(30)) }
    }
    defer { recovering.cancel() }
    for warning in await unreachableStores(stores) { ready.warn(warning) }
    ready.succeeded()
    ServiceManager.notify("READY=1")
    // A daemon must not keep the directory busy that it was started in.
    if readyDescriptor != nil { chdir("/") }
    logger.notice("mounted \(stores.map(\.configuration.name).joined(separator: ", ")) on \(mountPoint)")
    do {
      try await serving
    } catch {
      await system.endWriting()
      await system.endCopies()
      throw CommandFailure(error)
    }
    await system.endWriting()
    await system.endCopies()
    logger.notice("unmounted \(mountPoint)")
    // Unmounting does not take a job back that was accepted; a signal does.
    for job in jobs.snapshots where job.state == .running {
      logger.notice("waiting for \(job.id) of \(job.target)")
      _ = await jobs.finished(job.id)
    }
  }

  /// The stores as they are shown, those that are not to be changed marked.
  private func mountedStores(_ stores: [OpenStore]) throws -> [MountedStore] {
    for name in readOnlyStores where !stores.contains(where: { $0.configuration.name == name }) {
      let names = stores.map(\.configuration.name).joined(separator: ", ")
      throw CommandFailure("--read-only-store: there is no store \(name); there are \(names).")
    }
    return stores.map { store in
      var mounted = store.mounted
      mounted.isReadOnly = readOnlyStores.contains(mounted.name)
      return mounted
    }
  }

  private func sweepUploads(of stores: [OpenStore], journal: UploadJournal, _ logger: Logger) async {
    for store in stores {
      let sweep = UploadSweep(store.context.backups, journal: journal, olderThan: 0, now: Int64(time(nil)))
      for finding in (try? await sweep.run()) ?? [] where finding.outcome != .left {
        logger.notice("an unfinished upload of \(finding.key) in \(store.configuration.name): \(finding.text)")
      }
    }
  }

  private func openStores(_ opener: StoreOpener, _ ready: ReadinessReport) throws -> [OpenStore] {
    let configurations: [StoreConfiguration]
    do {
      configurations = try effectiveOverrides().loader().stores(at: configuration)
    } catch let error as ConfigurationError {
      throw CommandFailure(error)
    }
    return try configurations.map { configuration in
      for warning in configuration.warnings { ready.warn(warning) }
      return try opener.open(configuration)
    }
  }

  /// A daemon's overrides come through its standard input, one a line.
  private func effectiveOverrides() throws -> OverrideOptions {
    guard readyDescriptor != nil else { return overrides }
    var received = try OverrideOptions.parse([])
    while let line = readLine() { received.overrides.append(line) }
    return received
  }

  /// Tries each store once, so that wrong settings are told at once; a store that is away does not keep the others from
  /// being mounted.
  private func unreachableStores(_ stores: [OpenStore]) async -> [String] {
    await withTaskGroup(of: String?.self) { group in
      for store in stores {
        group.addTask {
          do {
            let prefix = store.mounted.prefix
            _ = try await store.context.backups.list(ListRequest(prefix: prefix, groupedByDirectory: true, limit: 1))
            return nil
          } catch {
            return "the store \(store.configuration.name) does not answer: \(error)"
          }
        }
      }
      var warnings: [String] = []
      for await warning in group { if let warning { warnings.append(warning) } }
      return warnings.sorted()
    }
  }
}

/// `milvus-backupfs umount`.
struct UmountCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "umount", abstract: "Unmount what `mount` mounted; fails while it is in use.",
    aliases: ["unmount"])

  @Argument(help: "The mount point.")
  var mountPoint: String

  func run() throws {
    do {
      let mount = try MountedPath(mountPoint, subtype: "milvus-backupfs")
      try mount.synchronize()
      try mount.unmount()
    } catch {
      throw CommandFailure(error)
    }
  }
}

extension Logger {
  /// For the daemon: what happened and when, on standard error, which a daemon's parent points to the log file.
  static var daemon: Logger {
    var logger = Logger(label: "milvus-backupfs", factory: { StreamLogHandler.standardError(label: $0) })
    logger.logLevel = .notice
    return logger
  }
}
