// The engine's thread: takes messages, lets libcurl work, delivers results, sleeps when there is nothing to do.
//
// Invariants: everything here belongs to the one thread that runs `run()`. An exchange is in exactly one place: a
// lane's queue, or `active` together with a handle of the multi. It leaves both before its completion runs.

import CCurl
import Glibc

final class EngineLoop {
  private let inbox: EngineInbox
  private let multi: UnsafeMutableRawPointer
  private let watch: SocketWatch
  private let options: HTTPEngine.Options
  private var lanes: [String: HostLane] = [:]
  private var active: [ObjectIdentifier: Transfer] = [:]
  private var idle: [Transfer] = []
  private var buffers = BufferShares()

  /// Nil when libcurl has no memory.
  init?(inbox: EngineInbox, options: HTTPEngine.Options) {
    guard let multi = curl_multi_init() else { return nil }
    self.inbox = inbox
    self.options = options
    self.multi = multi
    watch = SocketWatch(inbox.descriptors)
    watch.attach(to: multi)
    // Idle connections kept: enough for several hosts at their limit.
    _ = ccurl_multi_set_long(multi, CURLMOPT_MAXCONNECTS, options.maximumConnectionsPerHost * 8)
  }

  deinit {
    // Closes the connections that are kept, through the callbacks of `watch`.
    curl_multi_cleanup(multi)
  }

  /// Works until the inbox is closed; then ends what is left with `.cancelled`.
  func run() {
    var messages: [EngineInbox.Message] = []
    var running: Int32 = 0
    while true {
      let isClosed = inbox.take(&messages)
      for message in messages { handle(message) }
      messages.removeAll(keepingCapacity: true)
      if isClosed { break }
      // Requests that were just begun have set it to now.
      if watch.takeTimer() { curl_multi_socket_action(multi, CURL_SOCKET_TIMEOUT, 0, &running) }
      if deliverFinished() { continue }
      guard inbox.fallAsleep() else { continue }
      watch.wait()
      inbox.wakeUp()
      while let (socket, flags) = watch.nextReady() { curl_multi_socket_action(multi, socket, flags, &running) }
    }
    endEverything()
  }

  private func handle(_ message: EngineInbox.Message) {
    switch message {
    case .start(let exchange):
      if exchange.isCancelled {
        exchange.complete(.failure(exchange.error(.cancelled, "cancelled before it began")))
      } else if lanes[exchange.authority, default: HostLane()].enter(
        exchange, limit: options.maximumConnectionsPerHost)
      {
        begin(exchange)
      }
    case .cancel(let exchange):
      cancel(exchange)
    case .resume(let exchange):
      // One that has ended meanwhile needs nothing.
      active[ObjectIdentifier(exchange)]?.resume()
    }
  }

  /// Puts an exchange that has a place in its lane on a handle.
  private func begin(_ first: HTTPExchange) {
    var next: HTTPExchange? = first
    // A request that libcurl refuses gives its place to the one that waits behind it.
    while let exchange = next {
      guard let error = tryToBegin(exchange) else { return }
      next = lanes[exchange.authority]?.leave()
      exchange.complete(.failure(error))
    }
  }

  private func tryToBegin(_ exchange: HTTPExchange) -> HTTPError? {
    guard let transfer = idle.popLast() ?? Transfer(options: options, watch: watch) else {
      return exchange.error(.resources, "libcurl has no memory for another request")
    }
    let timeouts = exchange.request.timeouts ?? options.timeouts
    if let error = transfer.prepare(for: exchange, timeouts: timeouts, buffers: &buffers) {
      putAside(transfer)
      return error
    }
    let status = curl_multi_add_handle(multi, transfer.easy)
    guard status == CURLM_OK else {
      putAside(transfer)
      return exchange.error(.resources, String(cString: curl_multi_strerror(status)))
    }
    active[ObjectIdentifier(exchange)] = transfer
    return nil
  }

  private func cancel(_ exchange: HTTPExchange) {
    if let transfer = active[ObjectIdentifier(exchange)] {
      let mayHaveArrived = transfer.requestMayHaveArrived
      retire(transfer, of: exchange)
      exchange.complete(
        .failure(exchange.error(.cancelled, "cancelled", requestMayHaveArrived: mayHaveArrived)))
    } else if lanes[exchange.authority]?.withdraw(exchange) == true {
      exchange.complete(.failure(exchange.error(.cancelled, "cancelled while it waited for a connection")))
    }
  }

  /// Delivers what libcurl has finished. False when that was nothing.
  private func deliverFinished() -> Bool {
    var left: Int32 = 0
    var hasDelivered = false
    while let message = curl_multi_info_read(multi, &left) {
      guard message.pointee.msg == CURLMSG_DONE, let easy = message.pointee.easy_handle else { continue }
      // The message's memory is libcurl's only until the handle is removed.
      let status = message.pointee.data.result
      guard let transfer = Transfer.owner(of: easy), let exchange = transfer.exchange else { continue }
      let result = transfer.result(status, of: exchange)
      retire(transfer, of: exchange)
      exchange.complete(result)
      hasDelivered = true
    }
    return hasDelivered
  }

  /// Takes the transfer off the multi, returns its handle to the pool and lets the next exchange of the lane begin.
  private func retire(_ transfer: Transfer, of exchange: HTTPExchange) {
    curl_multi_remove_handle(multi, transfer.easy)
    active[ObjectIdentifier(exchange)] = nil
    putAside(transfer)
    if let next = lanes[exchange.authority]?.leave() { begin(next) }
  }

  /// Keeps a transfer that is on no multi for another exchange.
  private func putAside(_ transfer: Transfer) {
    buffers.giveBack(transfer.bufferBytes)
    assert(!active.isEmpty || buffers.used == 0, "a transfer that has ended keeps a buffer")
    transfer.release()
    idle.append(transfer)
  }

  private func endEverything() {
    let waiting = lanes.values.map { lane in
      var lane = lane
      return lane.withdrawAll()
    }
    lanes.removeAll()
    for exchange in waiting.joined() {
      exchange.complete(.failure(exchange.error(.cancelled, "the HTTP engine was shut down")))
    }
    for transfer in active.values {
      guard let exchange = transfer.exchange else { continue }
      let mayHaveArrived = transfer.requestMayHaveArrived
      curl_multi_remove_handle(multi, transfer.easy)
      transfer.release()
      exchange.complete(
        .failure(
          exchange.error(.cancelled, "the HTTP engine was shut down", requestMayHaveArrived: mayHaveArrived)))
    }
    active.removeAll()
    // Handles go before the multi does.
    idle.removeAll()
  }
}
