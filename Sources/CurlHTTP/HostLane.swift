// The requests of one host: how many are under way and which wait for a connection, first come first served.
//
// libcurl could queue them as well (CURLMOPT_MAX_HOST_CONNECTIONS), but walks over every queued handle in each turn and
// keeps a handle's buffers for each.

import DequeModule

struct HostLane {
  private(set) var underWay = 0
  private var waiting: Deque<HTTPExchange> = []

  /// Takes a place when one is free; otherwise the exchange waits.
  mutating func enter(_ exchange: HTTPExchange, limit: Int) -> Bool {
    guard underWay < limit else {
      waiting.append(exchange)
      return false
    }
    underWay += 1
    return true
  }

  /// Gives a place back; the exchange returned, if any, has taken it over.
  mutating func leave() -> HTTPExchange? {
    if let next = waiting.popFirst() { return next }
    underWay -= 1
    return nil
  }

  /// Takes an exchange out of the queue. False when it is not in it.
  mutating func withdraw(_ exchange: HTTPExchange) -> Bool {
    guard let index = waiting.firstIndex(where: { $0 === exchange }) else { return false }
    waiting.remove(at: index)
    return true
  }

  /// Empties the queue.
  mutating func withdrawAll() -> [HTTPExchange] {
    defer { waiting.removeAll() }
    return Array(waiting)
  }
}
