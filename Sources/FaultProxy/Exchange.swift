// One request and its answer between client and store: both directions at once, each a window of bytes of which the
// first so many have been approved for the other side.
//
// Invariants: memory does not grow with bodies. A side that does not read stops the other's sending. What an editor
// breaks off is flushed before it breaks off.

final class Exchange {
  enum Outcome {
    /// The connection can take the next request.
    case goesOn
    /// An orderly end.
    case over
    case reset
  }

  /// Bytes on their way to one side: some of our own first, then the approved ones of the window.
  private struct Outflow {
    var prefix: [UInt8] = []
    var sent = 0
    var approved = 0
    var isEmpty: Bool { sent == prefix.count && approved == 0 }

    /// Sends what the socket takes. False when it has ended.
    mutating func flush(_ window: ByteWindow, to socket: Socket) -> Bool {
      while sent < prefix.count {
        switch prefix.withUnsafeBytes({ socket.send(UnsafeRawBufferPointer(rebasing: $0[sent...])) }) {
        case .bytes(let count): sent += count
        case .nothing: return true
        case .ended: return false
        }
      }
      while approved > 0 {
        switch socket.send(UnsafeRawBufferPointer(rebasing: window.bytes[..<approved])) {
        case .bytes(let count):
          window.drop(count)
          approved -= count
        case .nothing: return true
        case .ended: return false
        }
      }
      return true
    }

    mutating func put(_ bytes: [UInt8]) {
      prefix = bytes
      sent = 0
    }
  }

  private let connection: ClientConnection
  private let client: Socket
  private let store: Socket
  private let head: HTTPHead
  private let fault: Fault?
  private let report: FaultReport

  private var toStore = Outflow()
  private var requestFraming: BodyFraming
  private var requestEditor: RequestEditor
  /// Set when both connections are to be reset as soon as what is approved has gone.
  private var isCutRequest = false
  /// The store takes no more of the request.
  private var storeIsDeaf = false

  private var toClient = Outflow()
  /// Nil until the head of the real answer has come.
  private var answerFraming: BodyFraming?
  private var answerEditor: AnswerEditor?
  private var ending: AnswerEditor.Ending?
  /// Bytes behind the approved ones that go on after a stall.
  private var held = 0
  private var answerClosesConnection = false
  private var isAnswered = false

  init(_ connection: ClientConnection, store: Socket, head: HTTPHead, fault: Fault?, report: FaultReport) {
    self.connection = connection
    client = connection.client
    self.store = store
    self.head = head
    self.fault = fault
    self.report = report
    requestFraming = head.requestFraming
    requestEditor = RequestEditor(fault, framing: requestFraming)
  }

  func run() -> Outcome {
    if case .resetDuringRequest = fault {
      report.applied()
      if requestEditor.isCutAtOnce { return .reset }
    }
    if case .corruptRequest = fault { report.applied(requestEditor.isApplicable) }
    toStore.put(head.bytes)
    while true {
      if let outcome = advance() { return outcome }
      // Most of the time the sockets take it at once, and there is more to approve then.
      let hadWork = !toStore.isEmpty || !toClient.isEmpty
      if let outcome = push() { return outcome }
      if hadWork, toStore.isEmpty, toClient.isEmpty { continue }
      var fromClientEvents: Socket.Events = []
      var fromStoreEvents: Socket.Events = []
      if !toStore.isEmpty {
        if !storeIsDeaf { fromStoreEvents.insert(.writable) }
      } else if !requestFraming.isEnded {
        fromClientEvents.insert(.readable)
      } else {
        // Nothing more is expected of the client; its going away ends the wait for the store.
        fromClientEvents.insert(.hungUp)
      }
      if !toClient.isEmpty {
        fromClientEvents.insert(.writable)
      } else if answerFraming?.isEnded != true {
        fromStoreEvents.insert(.readable)
      }
      let came = Socket.wait(for: [(client, fromClientEvents), (store, fromStoreEvents)], seconds: nil)
      if let outcome = push() ?? pull(fromClient: came[0], fromStore: came[1]) { return outcome }
    }
  }

  /// Approves what may go on, and ends the exchange when there is no more of it.
  private func advance() -> Outcome? {
    if toStore.isEmpty {
      if !isCutRequest, !requestFraming.isEnded, !connection.fromClient.isEmpty { approveRequest() }
      if isCutRequest, toStore.isEmpty { return .reset }
    }
    guard toClient.isEmpty else { return nil }
    if let ending {
      self.ending = nil
      switch ending {
      case .reset: return .reset
      case .close: return .over
      case .stall(let seconds):
        guard connection.pause(seconds) else { return .reset }
        toClient.approved = held
        held = 0
        return nil
      }
    }
    if answerFraming == nil, !approveAnswerHead() { return .over }
    if let framing = answerFraming, !framing.isEnded, !connection.fromStore.isEmpty, toClient.isEmpty, ending == nil {
      approveAnswer()
      // It may break off right between two pieces.
      if toClient.isEmpty, ending != nil { return advance() }
    }
    guard answerFraming?.isEnded == true, toClient.isEmpty, ending == nil else { return nil }
    return finish()
  }

  private func approveRequest() {
    let bytes = connection.fromClient.bytes
    let piece = requestFraming.consume(UnsafeRawBufferPointer(bytes))
    let (count, resets) = requestEditor.edit(piece, in: bytes)
    isCutRequest = resets
    if storeIsDeaf { connection.fromClient.drop(count) } else { toStore.approved = count }
  }

  /// False when what the store sends is not HTTP.
  private func approveAnswerHead() -> Bool {
    guard let bytes = connection.fromStore.takeHead() else { return connection.fromStore.count < HTTPHead.limit }
    guard let answer = HTTPHead(bytes) else { return false }
    if answer.isInterim {
      toClient.put(bytes)
      return true
    }
    answerFraming = answer.answerFraming(to: head.method)
    answerClosesConnection = answer.closesConnection
    let editor = AnswerEditor(fault, head: answer, method: head.method)
    answerEditor = editor
    if let fault, fault.isOfAnswer { report.applied(editor.isApplicable) }
    if editor.replacement == nil {
      toClient.put(editor.head)
      ending = editor.endingBehindHead
    }
    return true
  }

  private func approveAnswer() {
    let bytes = connection.fromStore.bytes
    guard let piece = answerFraming?.consume(UnsafeRawBufferPointer(bytes)) else { return }
    if answerEditor?.replacement != nil {
      connection.fromStore.drop(piece.count)
      return
    }
    guard let verdict = answerEditor?.edit(piece, in: bytes) else { return }
    toClient.approved = verdict.count
    ending = verdict.ending
    held = piece.count - verdict.count
  }

  /// The store has said everything.
  private func finish() -> Outcome? {
    if !isAnswered {
      isAnswered = true
      switch answerEditor?.replacement {
      case .reset: return .reset
      case .error(let code, let status):
        let error = ErrorAnswer(code: code, status: status)
        toClient.put(error.bytes(to: report.request, date: HTTPDate.now, closing: answerClosesConnection))
        return nil
      case nil: break
      }
    }
    if answerEditor?.holdsAtEnd == true {
      _ = connection.pause(nil)
      return .reset
    }
    if answerClosesConnection || storeIsDeaf || head.closesConnection { return .over }
    // An answer may come before the request's end; then the rest is still to be taken.
    return requestFraming.isEnded && toStore.isEmpty ? .goesOn : nil
  }

  /// Sends what is approved, as far as the sockets take it.
  private func push() -> Outcome? {
    if !toStore.isEmpty, !storeIsDeaf, !toStore.flush(connection.fromClient, to: store) { turnDeaf() }
    return toClient.isEmpty || toClient.flush(connection.fromStore, to: client) ? nil : .reset
  }

  /// Reads what there is room for.
  private func pull(fromClient: Socket.Events, fromStore: Socket.Events) -> Outcome? {
    if toStore.isEmpty, !requestFraming.isEnded, !fromClient.isEmpty,
      connection.fromClient.fill(from: client) == .ended
    {
      return .reset
    }
    if requestFraming.isEnded, toClient.isEmpty, !fromClient.isDisjoint(with: .hungUp) { return .reset }
    if toClient.isEmpty, answerFraming?.isEnded != true, !fromStore.isEmpty,
      connection.fromStore.fill(from: store) == .ended
    {
      answerFraming?.close()
      // The store broke off: so does what the client sees.
      if answerFraming?.isEnded != true { return answerFraming == nil ? .reset : .over }
      answerClosesConnection = true
    }
    return nil
  }

  /// The store takes no more, but may have answered: what is still to be sent is thrown away.
  private func turnDeaf() {
    storeIsDeaf = true
    connection.fromClient.drop(toStore.approved)
    toStore = Outflow()
  }
}

extension Fault {
  /// Whether it is done to the answer.
  fileprivate var isOfAnswer: Bool {
    switch self {
    case .loseAnswer, .replaceAnswer, .stallAnswer, .truncateAnswer, .resetAnswer, .misstateLength, .corruptAnswer: true
    case .refuse, .reset, .close, .resetDuringRequest, .stall, .latency, .corruptRequest: false
    }
  }
}
