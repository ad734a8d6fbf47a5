// A job's progress in one line: a bar on a terminal, plain words elsewhere.

/// What is to be shown of a running job.
struct ProgressLine: Equatable {
  var percent: Int
  var phase: String
  var bytesDone: Int64 = 0
  /// 0 when unknown.
  var bytesTotal: Int64 = 0
  var objectsDone = 0
  /// 0 when unknown.
  var objectsTotal = 0
  /// Nil when unknown.
  var bytesPerSecond: Double?
  var secondsLeft: Double?

  private static let width = 24

  /// - Parameter columns: width of the terminal; nil for plain words.
  func text(columns: Int?) -> String {
    var figures: [String] = []
    if bytesTotal > 0 { figures.append("\(Self.size(bytesDone)) of \(Self.size(bytesTotal))") }
    if objectsTotal > 0 { figures.append("\(objectsDone) of \(objectsTotal) objects") }
    if let bytesPerSecond { figures.append("\(Self.size(Int64(bytesPerSecond)))/s") }
    if let secondsLeft { figures.append("\(Self.time(secondsLeft)) left") }
    let details = figures.isEmpty ? "" : " (\(figures.joined(separator: ", ")))"
    guard let columns else { return "\(percent)% \(phase)\(details)" }
    let filled = Self.width * min(100, max(0, percent)) / 100
    let bar = String(repeating: "#", count: filled) + String(repeating: "-", count: Self.width - filled)
    // The phase is what may be cut.
    let fixed = "[\(bar)] \(percent)%\(details) "
    return fixed + phase.prefix(max(0, columns - fixed.count - 1))
  }

  /// Such as `12.3 MiB`.
  static func size(_ bytes: Int64) -> String {
    var value = Double(bytes)
    for unit in ["B", "KiB", "MiB", "GiB"] {
      if value < 1024 || unit == "GiB" {
        return unit == "B" ? "\(bytes) B" : "\((value * 10).rounded() / 10) \(unit)"
      }
      value /= 1024
    }
    return "\(bytes) B"
  }

  /// Such as `2 min 5 s`.
  static func time(_ seconds: Double) -> String {
    let whole = Int(seconds.rounded(.up))
    if whole >= 3600 { return "\(whole / 3600) h \(whole % 3600 / 60) min" }
    return whole >= 60 ? "\(whole / 60) min \(whole % 60) s" : "\(whole) s"
  }
}

/// Shows lines of progress on standard error, each over the one before on a terminal.
struct ProgressDisplay {
  private let columns: Int?
  private var last = ""

  init() { columns = Terminal.columns }

  /// How often to look, in milliseconds.
  var pace: Int { columns == nil ? 1000 : 200 }

  mutating func show(_ line: ProgressLine) {
    let text = line.text(columns: columns)
    guard text != last else { return }
    last = text
    writeError(columns == nil ? "\(text)\n" : "\r\u{1B}[K\(text)")
  }

  func clear() {
    if columns != nil { writeError("\r\u{1B}[K") }
  }
}
