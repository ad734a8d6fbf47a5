// Parts of the server that need no mount.

import BackupFileSystem
import Logging
import SystemPackage
import Testing

@testable import FUSEServer

@Suite struct CallerProcessTests {
  /// A line of /proc/<thread>/stat.
  private func line(name: String, flags: UInt32, exitStatus: UInt32) -> [UInt8] {
    let fields = (0..<42).map { "\($0)" }.joined(separator: " ")
    return Array("4711 (\(name)) X 1 2 3 4 5 \(flags) \(fields) \(exitStatus)\n".utf8)
  }

  @Test(arguments: ["cat", "a b", "a) S 1 (b", ""])
  func theNameOfTheProgramDoesNotConfuse(name: String) throws {
    let process = try #require(CallerProcess(stat: line(name: name, flags: 0x40_050c, exitStatus: 15)))
    #expect(process.flags == 0x40_050c)
    #expect(process.exitStatus == 15)
  }

  @Test func whatIsNotUnderstoodIsNothing() {
    #expect(CallerProcess(stat: []) == nil)
    #expect(CallerProcess(stat: Array("1 (cat) S 1 2 3".utf8)) == nil)
    #expect(CallerProcess(stat: Array(String(repeating: "1 ", count: 60).utf8)) == nil)
    var broken = line(name: "cat", flags: 1, exitStatus: 2)
    broken[broken.count - 2] = UInt8(ascii: "x")
    #expect(CallerProcess(stat: broken) == nil)
  }

  @Test(arguments: [
    // Closes while it lives; exits; exits with a status.
    (0x40_0000, 0, true, false), (0x40_010c, 0, true, false), (0x40_010c, 256, true, false),
    // Killed; killed with a core dump.
    (0x40_050c, 9, true, true), (0x40_070c, 0x8b, true, true),
    // One of many threads of a process that exits, with status 0 and 3.
    (0x40_044c, 0, true, false), (0x40_044c, 768, true, false),
    // The status is hidden: the flag decides.
    (0x40_050c, 0, false, true), (0x40_010c, 0, false, false), (0x40_044c, 768, false, false),
  ])
  func killedIsWhatASignalEnded(flags: Int, exitStatus: Int, maySee: Bool, wasKilled: Bool) throws {
    let line = line(name: "cat", flags: UInt32(flags), exitStatus: UInt32(exitStatus))
    let process = try #require(CallerProcess(stat: line))
    #expect(process.wasKilled(maySeeExitStatus: maySee) == wasKilled)
  }

  @Test func threadsThatAreUnknownWereNotKilled() {
    #expect(!CallerProcess.wasKilled(thread: 0, user: 0))
    #expect(!CallerProcess.wasKilled(thread: Int32.max, user: 0))
  }
}

@Suite struct LogTests {
  @Test func likeErrorsAreLoggedAFewTimesInEachPeriod() {
    var throttle = LogThrottle()
    let kind = LogThrottle.Kind(operation: .read, errno: .ioError)
    let other = LogThrottle.Kind(operation: .write, errno: .ioError)
    for second in 0..<5 { #expect(throttle.decide(kind, now: .seconds(second)) == .log(keptBack: 0)) }
    for second in 5..<60 { #expect(throttle.decide(kind, now: .seconds(second)) == .keepBack) }
    #expect(throttle.decide(other, now: .seconds(59)) == .log(keptBack: 0))
    #expect(throttle.decide(kind, now: .seconds(60)) == .log(keptBack: 55))
    #expect(throttle.decide(kind, now: .seconds(61)) == .log(keptBack: 0))
  }

  @Test func aBrokenStoreDoesNotFloodTheLog() {
    let recorder = LogRecorder()
    let log = ErrorLog(recorder.logger)
    for _ in 0..<1000 { log.failed(.read, FileSystemError(.ioError, "the store is down")) }
    #expect(recorder.lines.count == LogThrottle.linesPerPeriod)
    #expect(recorder.lines.first?.hasPrefix("error read: the store is down") == true)
  }

  @Test func levelsFitTheErrors() {
    #expect(ErrorLog.level(of: .noSuchFileOrDirectory, in: .lookup) == nil)
    #expect(ErrorLog.level(of: .noSuchFileOrDirectory, in: .rename) == .debug)
    #expect(ErrorLog.level(of: .interrupted, in: .read) == .debug)
    #expect(ErrorLog.level(of: .invalidArgument, in: .write) == .info)
    for errno in [Errno.ioError, .permissionDenied, .noSpace, .staleNFSFileHandle, .fileTooLarge, .noMemory] {
      #expect(ErrorLog.level(of: errno, in: .lookup) == .error)
    }
  }

  @Test func errorsBelowTheLevelOfTheLoggerCostNoPlaceInThePeriod() {
    let recorder = LogRecorder()
    var logger = recorder.logger
    logger.logLevel = .info
    let log = ErrorLog(logger)
    log.failed(.rename, FileSystemError(.fileExists, "there is one"))
    #expect(recorder.lines.isEmpty)
  }
}

@Suite struct MountTableTests {
  private let table = MountTable(
    """
    22 28 0:21 / /sys rw,nosuid - sysfs sysfs rw
    40 28 0:57 / /mnt/with\\040blank\\134 rw,nosuid shared:7 master:2 - fuse.milvus-backupfs a\\011b rw,user_id=0
    41 28 0:58 / /mnt/with\\040blank\\134 rw - tmpfs none rw
    broken line

    """)

  @Test func linesAreParsedWithEscapesAndOptionalFields() {
    #expect(table.mounts.count == 3)
    #expect(
      table.mounts[1]
        == MountTable.Mount(
          device: "0:57", mountPoint: "/mnt/with blank\\", type: "fuse.milvus-backupfs", source: "a\tb"))
    #expect(table.mounts[1].isFUSE)
    #expect(!table.mounts[0].isFUSE)
  }

  @Test func theLaterMountIsSeenAndTheOtherStillThere() {
    #expect(table.top(at: "/mnt/with blank\\")?.type == "tmpfs")
    #expect(table.top(at: "/mnt") == nil)
    #expect(table.contains(device: "0:57", at: "/mnt/with blank\\"))
    #expect(!table.contains(device: "0:57", at: "/sys"))
  }

  @Test func theRootIsMounted() {
    #expect(MountTable.current().top(at: "/") != nil)
  }
}

@Suite struct NameTests {
  @Test func namesAreTextOfAtMost255Bytes() throws {
    #expect(try Name("grüße").existing() == "grüße")
    #expect(try Name("grüße").new() == "grüße")
    let longest = String(repeating: "n", count: 255)
    #expect(try Name(longest).new() == longest)
    #expect(Name(longest + "n") == .tooLong)
    #expect(throws: FileSystemError.self) { try Name(longest + "n").existing() }
    let broken: [CChar] = [97, -1, 0]
    #expect(Name(broken) == .notText)
    #expect(#expect(throws: FileSystemError.self) { try Name(broken).existing() }?.errno == .noSuchFileOrDirectory)
    #expect(#expect(throws: FileSystemError.self) { try Name(broken).new() }?.errno == .illegalByteSequence)
  }
}

@Suite struct PendingRequestTests {
  @Test(.timeLimit(.minutes(1))) func anInterruptBeforeTheTaskIsKnownCancelsIt() async {
    let pending = PendingRequests()
    let request = PendingRequest(unanswered: .read)
    let number = pending.insert(request)
    pending.interrupt(number)
    let task = Task { while !Task.isCancelled { await Task.yield() } }
    request.start(task)
    await task.value
    #expect(request.errno(for: .interrupted) == .interrupted)
  }

  @Test func anInterruptAfterTheEndIsNothing() {
    let pending = PendingRequests()
    let number = pending.insert(PendingRequest(unanswered: .read))
    pending.remove(number)
    pending.interrupt(number)
    pending.interrupt(0)
    #expect(pending.count == 0)
  }

  @Test(.timeLimit(.minutes(1))) func atTheEndOfASessionNobodyIsToldToTryAgain() async {
    let pending = PendingRequests()
    let request = PendingRequest(unanswered: .write)
    _ = pending.insert(request)
    let task = Task { while !Task.isCancelled { await Task.yield() } }
    request.start(task)
    pending.cancelQuestions()
    #expect(!task.isCancelled, "a write is no question")
    pending.cancelAll()
    await task.value
    #expect(request.errno(for: .interrupted) == .ioError)
    #expect(request.errno(for: .canceled) == .ioError)
    #expect(request.errno(for: .noSpace) == .noSpace)

    let late = PendingRequest(unanswered: .write)
    _ = pending.insert(late)
    #expect(late.cancellation == .sessionEnds)
    #expect(await pending.drain(limit: .zero) == false)
    #expect(pending.abandonAll() == 2)
    #expect(await pending.drain(limit: .zero))
    pending.reopen()
    let after = PendingRequest(unanswered: .release)
    _ = pending.insert(after)
    #expect(after.cancellation == nil)
  }
}

@Suite struct OpenHandleTests {
  @Test func eachHandleIsTakenOutOnce() {
    let handles = OpenHandles()
    handles.insertFile(1, writable: true)
    handles.insertFile(2, writable: false)
    handles.insertDirectory(3)
    #expect(handles.isWritable(1))
    #expect(!handles.isWritable(2))
    #expect(!handles.isWritable(9))
    #expect(handles.removeFile(1))
    #expect(!handles.removeFile(1))
    #expect(!handles.removeFile(3))
    let rest = handles.removeAll()
    #expect(rest.files == [2])
    #expect(rest.directories == [3])
    #expect(!handles.removeFile(2))
    #expect(!handles.removeDirectory(3))
  }
}
