// A libcurl easy handle, configured once and used for one exchange after the other, with what libcurl needs meanwhile.
//
// Invariants: belongs to the engine's thread. While an exchange is on it, the request's body and the header list live
// at least as long as libcurl may look at them. The handle's pointers to this object never change, and the object
// outlives the handle.

import CCurl
import Glibc

final class Transfer {
  let easy: UnsafeMutableRawPointer
  private(set) var exchange: HTTPExchange?
  /// What comes back; used by the callbacks.
  var answer = AnswerCollector()
  /// What goes out; used by the callbacks.
  var upload = UploadSource()
  /// What goes out instead when the body is streamed.
  private var stream: UploadStream?

  /// How often the current request began to go out. libcurl silently sends a request again when a reused connection
  /// dies before the first byte of an answer.
  private var timesSent = 0
  /// Why a callback about a streamed body has ended the transfer.
  private var refusal: AnswerCollector.Refusal?
  private let (receiveBufferSize, sendBufferSize): (Int, Int)
  /// Size of libcurl's buffers for the current exchange, together.
  private(set) var bufferBytes = 0
  private let errorText: UnsafeMutablePointer<CChar>
  private var headerList: UnsafeMutablePointer<curl_slist>?
  /// The handle's trust store when no other was asked for.
  private let systemAuthorities: String?
  private var authorities: String?
  private var identity: HTTPIdentity?
  private var connection: UnsafeMutablePointer<curl_slist>?

  /// Nil when libcurl has no memory.
  init?(options: HTTPEngine.Options, watch: SocketWatch) {
    guard let easy = curl_easy_init() else { return nil }
    self.easy = easy
    (receiveBufferSize, sendBufferSize) = (options.receiveBufferSize, options.sendBufferSize)
    errorText = .allocate(capacity: Int(CURL_ERROR_SIZE))
    errorText.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
    var path: UnsafePointer<CChar>?
    _ = ccurl_get_string(easy, CURLINFO_CAINFO, &path)
    systemAuthorities = path.map { String(cString: $0) }
    authorities = systemAuthorities
    configure(options)
    watch.attach(toConnectionsOf: easy)
  }

  deinit {
    curl_easy_cleanup(easy)
    curl_slist_free_all(headerList)
    curl_slist_free_all(connection)
    errorText.deallocate()
  }

  /// The transfer whose handle this is.
  static func owner(of easy: UnsafeMutableRawPointer) -> Transfer? {
    var context: UnsafeMutableRawPointer?
    _ = ccurl_get_pointer(easy, CURLINFO_PRIVATE, &context)
    return context.map { Unmanaged<Transfer>.fromOpaque($0).takeUnretainedValue() }
  }

  /// What is the same for every request.
  private func configure(_ options: HTTPEngine.Options) {
    let context = Unmanaged.passUnretained(self).toOpaque()
    _ = ccurl_set_pointer(easy, CURLOPT_PRIVATE, context)
    _ = ccurl_set_pointer(easy, CURLOPT_ERRORBUFFER, errorText)
    _ = ccurl_set_transfer_function(easy, CURLOPT_WRITEFUNCTION, Self.onBody)
    _ = ccurl_set_pointer(easy, CURLOPT_WRITEDATA, context)
    _ = ccurl_set_transfer_function(easy, CURLOPT_HEADERFUNCTION, Self.onHeader)
    _ = ccurl_set_pointer(easy, CURLOPT_HEADERDATA, context)
    _ = ccurl_set_transfer_function(easy, CURLOPT_READFUNCTION, Self.onRead)
    _ = ccurl_set_pointer(easy, CURLOPT_READDATA, context)
    _ = ccurl_set_seek_function(easy, Self.onSeek)
    _ = ccurl_set_pointer(easy, CURLOPT_SEEKDATA, context)
    _ = ccurl_set_prerequest_function(easy, Self.onRequest)
    _ = ccurl_set_pointer(easy, CURLOPT_PREREQDATA, context)
    _ = ccurl_set_progress_function(easy, Self.onProgress)
    _ = ccurl_set_pointer(easy, CURLOPT_XFERINFODATA, context)
    _ = ccurl_set_long(easy, CURLOPT_NOSIGNAL, 1)
    _ = ccurl_set_string(easy, CURLOPT_PROTOCOLS_STR, "http,https")
    _ = ccurl_set_long(easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1)
    _ = ccurl_set_long(easy, CURLOPT_FOLLOWLOCATION, 0)
    _ = ccurl_set_long(easy, CURLOPT_PATH_AS_IS, 1)
    // The empty string, unlike none, also keeps libcurl from looking at the environment.
    _ = ccurl_set_string(easy, CURLOPT_PROXY, "")
    _ = ccurl_set_long(easy, CURLOPT_TCP_NODELAY, 1)
    // A host that vanished while it works on a request is noticed by keep-alive probes long before a generous stall
    // timeout ends.
    _ = ccurl_set_long(easy, CURLOPT_TCP_KEEPALIVE, 1)
    _ = ccurl_set_long(easy, CURLOPT_TCP_KEEPIDLE, 15)
    _ = ccurl_set_long(easy, CURLOPT_TCP_KEEPINTVL, 5)
    _ = ccurl_set_string(easy, CURLOPT_USERAGENT, options.userAgent)
    _ = ccurl_set_long(easy, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2)
    // libcurl keeps the parsed authorities between connections only when there is no directory of them, and parsing a
    // system's bundle costs 30 ms of CPU per connection. The bundle file has the directory's content.
    _ = ccurl_set_string(easy, CURLOPT_CAPATH, nil)
    // Otherwise removing a handle waits for its resolver thread, and with a dead name server the whole engine stands
    // still for ten seconds.
    _ = ccurl_set_long(easy, CURLOPT_QUICK_EXIT, 1)
  }

  /// Sets up the handle for an exchange. An error means that the request cannot be sent, and the transfer is to be released.
  func prepare(for exchange: HTTPExchange, timeouts: HTTPTimeouts, buffers: inout BufferShares) -> HTTPError? {
    let request = exchange.request
    guard request.stream == nil || exchange.pipe != nil || !request.method.sendsBody else {
      return exchange.error(.invalidRequest, "a streamed body needs a task that makes it")
    }
    guard let headerList = Self.list(of: request.headers) else {
      return exchange.error(.invalidRequest, "a header has a line break or NUL in it, or no name")
    }
    self.headerList = headerList
    _ = ccurl_set_list(easy, CURLOPT_HTTPHEADER, headerList)
    guard !request.url.utf8.contains(0), ccurl_set_string(easy, CURLOPT_URL, request.url) == CURLE_OK else {
      return exchange.error(.invalidRequest, "not a URL")
    }
    errorText.pointee = 0
    setMethod(request)
    setBuffers(request, &buffers)
    setTimeouts(timeouts, pipe: exchange.pipe)
    setAuthorities(request.certificateAuthorityFile)
    setIdentity(request.identity)
    guard setConnection(request.connectTo) else {
      return exchange.error(.invalidRequest, "not a place to connect to: \(request.connectTo ?? "")")
    }
    timesSent = 0
    refusal = nil
    answer = AnswerCollector(easy: easy, request: request)
    self.exchange = exchange
    return nil
  }

  /// Forgets the exchange. The handle must be off the multi.
  func release() {
    exchange = nil
    bufferBytes = 0
    answer = AnswerCollector()
    upload = UploadSource()
    stream = nil
    _ = ccurl_set_list(easy, CURLOPT_HTTPHEADER, nil)
    curl_slist_free_all(headerList)
    headerList = nil
    if connection != nil {
      _ = ccurl_set_list(easy, CURLOPT_CONNECT_TO, nil)
      curl_slist_free_all(connection)
      connection = nil
    }
  }

  private func setMethod(_ request: HTTPRequest) {
    _ = ccurl_set_string(easy, CURLOPT_CUSTOMREQUEST, nil)
    _ = ccurl_set_long(easy, CURLOPT_FRESH_CONNECT, request.mustNotRepeat ? 1 : 0)
    // This also undoes what an upload or a HEAD has left behind.
    _ = ccurl_set_long(easy, CURLOPT_HTTPGET, 1)
    switch request.method {
    case .get:
      break
    case .head:
      _ = ccurl_set_long(easy, CURLOPT_NOBODY, 1)
    case .put, .post:
      upload = UploadSource(request.body)
      _ = ccurl_set_long(easy, CURLOPT_UPLOAD, 1)
      _ = ccurl_set_offset(
        easy, CURLOPT_INFILESIZE_LARGE, curl_off_t(request.stream?.size ?? Int64(request.body.count)))
      if request.method == .post { _ = ccurl_set_string(easy, CURLOPT_CUSTOMREQUEST, "POST") }
    case .delete:
      _ = ccurl_set_string(easy, CURLOPT_CUSTOMREQUEST, "DELETE")
    }
  }

  /// libcurl takes both buffers for each transfer anew: large ones for what is small would be most of the memory.
  private func setBuffers(_ request: HTTPRequest, _ buffers: inout BufferShares) {
    let least = 16 << 10
    let received = request.method == .get ? request.expectedBodySize ?? receiveBufferSize : least
    let sent = request.stream == nil ? request.body.count : sendBufferSize
    let sizes = (
      buffers.take(min(max(received, least), receiveBufferSize)), buffers.take(min(max(sent, least), sendBufferSize))
    )
    bufferBytes = sizes.0 + sizes.1
    _ = ccurl_set_long(easy, CURLOPT_BUFFERSIZE, sizes.0)
    _ = ccurl_set_long(easy, CURLOPT_UPLOAD_BUFFERSIZE, sizes.1)
  }

  private func setTimeouts(_ timeouts: HTTPTimeouts, pipe: BodyPipe?) {
    _ = ccurl_set_long(easy, CURLOPT_CONNECTTIMEOUT_MS, Self.milliseconds(timeouts.connect))
    let stall = (Self.milliseconds(timeouts.stall) + 999) / 1000
    stream = pipe.map { UploadStream($0, stall: stall) }
    // Of a streamed body libcurl does not watch the progress, but tells it once a second, as long as there is a limit.
    _ = ccurl_set_long(easy, CURLOPT_LOW_SPEED_LIMIT, 1)
    _ = ccurl_set_long(easy, CURLOPT_LOW_SPEED_TIME, stream == nil ? stall : 0)
    _ = ccurl_set_long(easy, CURLOPT_NOPROGRESS, stream == nil ? 1 : 0)
    _ = ccurl_set_long(easy, CURLOPT_TIMEOUT_MS, timeouts.total.map(Self.milliseconds) ?? 0)
  }

  /// At least one millisecond, since zero means something else to libcurl; at most a day.
  private static func milliseconds(_ seconds: Double) -> Int {
    Int(max(1, min(86_400_000, (seconds * 1000).rounded(.up))))
  }

  private func setAuthorities(_ file: String?) {
    let wanted = file ?? systemAuthorities
    guard wanted != authorities else { return }
    _ = ccurl_set_string(easy, CURLOPT_CAINFO, wanted)
    authorities = wanted
  }

  private func setIdentity(_ wanted: HTTPIdentity?) {
    guard wanted != identity else { return }
    _ = ccurl_set_string(easy, CURLOPT_SSLCERT, wanted?.certificateFile)
    _ = ccurl_set_string(easy, CURLOPT_SSLKEY, wanted?.keyFile)
    identity = wanted
  }

  private func setConnection(_ place: String?) -> Bool {
    guard let place else { return true }
    // Whatever host and port the URL has.
    guard Self.isSafe(place), let list = curl_slist_append(nil, "::\(place)") else { return false }
    connection = list
    return ccurl_set_list(easy, CURLOPT_CONNECT_TO, list) == CURLE_OK
  }

  /// Nil when a header could break out of its line.
  private static func list(of headers: [HTTPHeader]) -> UnsafeMutablePointer<curl_slist>? {
    // Without this libcurl asks leave for bodies over 1 MiB and waits a second for servers that do not understand.
    var list = curl_slist_append(nil, "Expect:")
    for header in headers {
      guard !header.name.isEmpty, isSafe(header.name), isSafe(header.value) else {
        curl_slist_free_all(list)
        return nil
      }
      // An empty value is spelled with a semicolon; with a colon libcurl drops the header.
      let line = header.value.isEmpty ? "\(header.name);" : "\(header.name): \(header.value)"
      list = curl_slist_append(list, line) ?? list
    }
    return list
  }

  private static func isSafe(_ text: String) -> Bool {
    text.utf8.allSatisfy { $0 != 13 && $0 != 10 && $0 != 0 }
  }
}

// MARK: - Bodies

extension Transfer {
  /// Goes on after a pause for want of bytes. Not to be called from a callback.
  func resume() { curl_easy_pause(easy, CURLPAUSE_CONT) }

  /// Bytes of the answer have come, of its head the last ones or of its body. libcurl stops sending when that is a refusal,
  /// or the end of the connection, but does not see that it is done as long as sending is paused.
  private func noteAnswer() {
    if let stream, stream.isStarving { exchange?.resume() }
  }

  private func readBody(into space: UnsafeMutableRawBufferPointer) -> Int {
    stream?.read(into: space) ?? upload.read(into: space)
  }

  private func seekBody(to place: Int) -> Bool { stream?.seek(to: place) ?? upload.seek(to: place) }

  /// Takes note that the request begins to go out. False when it must not.
  private func beginSending() -> Bool {
    timesSent += 1
    refusal = stream?.begin()
    return refusal == nil
  }

  /// Takes note of the bytes moved so far. False when the transfer has to end.
  private func noteProgress(_ bytes: Int64) -> Bool {
    refusal = stream?.progressed(to: bytes)
    return refusal == nil
  }
}

// MARK: - Results

extension Transfer {
  /// Whether libcurl has sent any byte of the request.
  var requestMayHaveArrived: Bool {
    var sent = 0
    _ = ccurl_get_long(easy, CURLINFO_REQUEST_SIZE, &sent)
    return sent > 0
  }

  /// Whether the transfer went over a connection that had carried another one.
  private var hasReusedConnection: Bool {
    var made = 0
    _ = ccurl_get_long(easy, CURLINFO_NUM_CONNECTS, &made)
    return made == 0
  }

  /// The outcome of a transfer that libcurl has finished with `status`.
  func result(_ status: CURLcode, of exchange: HTTPExchange) -> Result<HTTPResponse, HTTPError> {
    if status == CURLE_OK, !answer.hasWholeHead {
      return .failure(
        exchange.error(.connectionLost, "the connection ended within the answer's headers", requestMayHaveArrived: true)
      )
    }
    if status == CURLE_OK, answer.isSuccess, let stream, !stream.isUsedUp {
      return .failure(
        exchange.error(.connectionLost, "the answer came before the whole body was sent", requestMayHaveArrived: true))
    }
    if status == CURLE_OK || answer.isCutOnPurpose { return .success(answer.takeResponse(wasRepeated: timesSent > 1)) }
    let words = errorText.pointee == 0 ? curl_easy_strerror(status) : UnsafePointer(errorText)
    let reason = words.map { String(cString: $0) } ?? "libcurl error \(status.rawValue)"
    if let refusal = answer.refusal ?? self.refusal {
      return .failure(exchange.error(refusal.code, refusal.reason, requestMayHaveArrived: true))
    }
    let arrived = requestMayHaveArrived
    var code = HTTPError.Code(status, reason: reason, requestMayHaveArrived: arrived)
    // What spoke HTTP on this connection before still does: it is out of step, by bytes behind an earlier answer.
    if code == .malformedAnswer, hasReusedConnection { code = .connectionLost }
    return .failure(exchange.error(code, reason, requestMayHaveArrived: arrived))
  }
}

// MARK: - Callbacks

extension Transfer {
  // Literals of static constants: formed outside any actor, thus free of executor checks on the engine's thread.

  private static let onBody: ccurl_transfer_function = { bytes, size, count, context in
    guard let bytes, let context else { return 0 }
    let chunk = UnsafeRawBufferPointer(start: bytes, count: size * count)
    return Unmanaged<Transfer>.fromOpaque(context)._withUnsafeGuaranteedRef {
      let taken = $0.answer.appendBody(chunk)
      $0.noteAnswer()
      return taken
    }
  }

  private static let onHeader: ccurl_transfer_function = { bytes, size, count, context in
    guard let bytes, let context else { return 0 }
    let line = UnsafeRawBufferPointer(start: bytes, count: size * count)
    return Unmanaged<Transfer>.fromOpaque(context)._withUnsafeGuaranteedRef {
      let taken = $0.answer.appendHeader(line)
      if $0.answer.hasWholeHead { $0.noteAnswer() }
      return taken
    }
  }

  private static let onRead: ccurl_transfer_function = { buffer, size, count, context in
    guard let buffer, let context else { return 0 }
    let space = UnsafeMutableRawBufferPointer(start: buffer, count: size * count)
    return Unmanaged<Transfer>.fromOpaque(context)._withUnsafeGuaranteedRef { $0.readBody(into: space) }
  }

  /// Runs each time a connection is ready for the request and nothing of it has been sent on that connection.
  private static let onRequest: ccurl_prerequest_function = { context, _, _, _, _ in
    guard let context else { return CURL_PREREQFUNC_ABORT }
    let mayBegin = Unmanaged<Transfer>.fromOpaque(context)._withUnsafeGuaranteedRef { $0.beginSending() }
    return mayBegin ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT
  }

  /// Runs about once a second while a streamed body is sent, paused or not.
  private static let onProgress: ccurl_progress_function = { context, _, received, _, sent in
    guard let context else { return 1 }
    let goesOn = Unmanaged<Transfer>.fromOpaque(context)._withUnsafeGuaranteedRef {
      $0.noteProgress(Int64(received) + Int64(sent))
    }
    return goesOn ? 0 : 1
  }

  private static let onSeek: ccurl_seek_function = { context, offset, origin in
    guard let context, origin == SEEK_SET else { return CURL_SEEKFUNC_FAIL }
    let isDone = Unmanaged<Transfer>.fromOpaque(context)._withUnsafeGuaranteedRef { $0.seekBody(to: Int(offset)) }
    return isDone ? CURL_SEEKFUNC_OK : CURL_SEEKFUNC_FAIL
  }
}
