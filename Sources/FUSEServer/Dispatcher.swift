// Request → call of the file system → answer. What is known from memory is answered in the thread that took the
// request; the rest runs as a task that the kernel's interrupts cancel.

import BackupFileSystem
import CFUSE
import Logging
import SystemPackage

/// Serves the requests of one session. The kinds of requests are in the extensions.
final class Dispatcher: Sendable {
  let fileSystem: any FileSystem
  let errors: ErrorLog
  let pending = PendingRequests()
  let handles = OpenHandles()

  init(_ fileSystem: any FileSystem, logger: Logger) {
    self.fileSystem = fileSystem
    errors = ErrorLog(logger)
  }

  /// The dispatcher of the session that a request belongs to.
  static func of(_ request: fuse_req_t) -> Dispatcher {
    // A session gets its dispatcher when it is made and keeps it alive until it is destroyed.
    Unmanaged<Dispatcher>.fromOpaque(fuse_req_userdata(request)).takeUnretainedValue()
  }

  /// Asks the file system and answers.
  /// - Parameters:
  ///   - ask: the call.
  ///   - answer: gives the value to the kernel. It may run in another thread, later.
  func serve<Value>(
    _ reply: consuming Reply,
    _ ask: () throws(FileSystemError) -> Answer<Value>,
    answer: @escaping @Sendable (Dispatcher, consuming Reply, Value) -> Void
  ) {
    let outcome: Result<Answer<Value>, FileSystemError>
    do {
      outcome = .success(try ask())
    } catch {
      outcome = .failure(error)
    }
    switch outcome {
    case .success(.ready(let value)): answer(self, reply, value)
    case .success(.pending(let work)): run(work, for: reply, answer: answer)
    case .failure(let error): fail(reply, error)
    }
  }

  /// Answers an error and logs it.
  func fail(_ reply: consuming Reply, _ error: FileSystemError) {
    errors.failed(reply.operation, error)
    reply.failure(error.errno)
  }

  /// Runs work that nobody waits for, but that the session does not end without.
  func runUnanswered(_ work: @escaping @Sendable () async throws(FileSystemError) -> Void, _ operation: Operation) {
    let request = PendingRequest(unanswered: operation)
    let number = pending.insert(request)
    request.start(
      Task {
        do throws(FileSystemError) {
          try await work()
        } catch {
          errors.failed(operation, error)
        }
        pending.remove(number)
      })
  }

  private func run<Value: Sendable>(
    _ work: @escaping @Sendable () async throws(FileSystemError) -> Value,
    for reply: consuming Reply,
    answer: @escaping @Sendable (Dispatcher, consuming Reply, Value) -> Void
  ) {
    let operation = reply.operation
    let interrupts = reply.interrupts
    let request = PendingRequest(reply)
    let number = pending.insert(request)
    // The order matters. libfuse may call the function at once, so the number must be known; and when the task has
    // started, the request may be answered and freed at any moment.
    interrupts.call(Dispatcher.interrupt, with: number)
    request.start(
      Task {
        let outcome: Result<Value, FileSystemError>
        do throws(FileSystemError) {
          outcome = .success(try await work())
        } catch {
          outcome = .failure(error)
        }
        if let reply = request.takeReply() {
          switch outcome {
          case .success(let value):
            answer(self, reply, value)
          case .failure(let error):
            errors.failed(operation, error)
            reply.failure(request.errno(for: error.errno))
          }
        }
        pending.remove(number)
      })
  }

  /// What libfuse calls when the kernel interrupts a request.
  private static let interrupt: @convention(c) (fuse_req_t?, UnsafeMutableRawPointer?) -> Void = { request, number in
    guard let request else { return }
    Dispatcher.of(request).pending.interrupt(UInt(bitPattern: number))
  }
}
