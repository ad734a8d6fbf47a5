// What libfuse has to say. It has one log function for the whole process, so this is one for all sessions.

import CFUSE
import Logging
import Synchronization

/// Takes libfuse's messages: into an error while a session is being made, into the log at other times.
enum LibFUSELog {
  private struct State {
    var logger: Logger?
    var collected: [String]?
  }

  private static let state = Mutex(State())
  /// One session is made at a time, so that messages belong to it.
  private static let collecting = Mutex(())
  private static let install: Void = cfuse_set_log_function { level, message in
    if let message { take(level, String(cString: message)) }
  }

  /// Runs `body` and collects what libfuse says meanwhile, as one line. Later messages go to `logger`.
  static func collect<Value>(_ logger: Logger, _ body: () -> Value) -> (value: Value, messages: String) {
    collecting.withLock { _ in
      state.withLock { $0 = State(logger: logger, collected: []) }
      install
      let value = body()
      let messages = state.withLock { state in
        defer { state.collected = nil }
        return (state.collected ?? []).joined(separator: "; ")
      }
      return (value, messages)
    }
  }

  private static func take(_ level: Int32, _ message: String) {
    let line = message.split(whereSeparator: \.isNewline).joined(separator: " ")
    guard !line.isEmpty else { return }
    let isDebug = level >= Int32(FUSE_LOG_DEBUG.rawValue)
    let logger = state.withLock { state -> Logger? in
      guard state.collected != nil, !isDebug else { return state.logger }
      state.collected?.append(line)
      return nil
    }
    logger?.log(level: isDebug ? .debug : .warning, "libfuse: \(line)")
  }
}
