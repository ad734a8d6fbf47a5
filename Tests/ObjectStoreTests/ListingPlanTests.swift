// Dividing a listing: whatever the keys, the sizes of pages, the order in which a service lists and the order in which
// answers come, every key is shown.

import ObjectStore
import Testing

@Suite("Listings in several requests at once")
struct ListingPlanTests {
  /// How a service orders what it lists.
  enum Order: CaseIterable {
    /// As S3 does.
    case bytes
    /// As services do that keep directories: `b/1` before `b-1`.
    case tree
    /// In none, as S3's directory buckets do.
    case none
  }

  /// A service with keys that do not change.
  struct Service {
    let names: [ObjectKey]
    let order: Order

    init(_ names: Set<String>, _ order: Order) {
      self.order = order
      switch order {
      case .bytes: self.names = names.map { ObjectKey($0) }.sorted()
      case .tree:
        self.names = names.map { Array($0.utf8).split(separator: 47, omittingEmptySubsequences: false).map(Array.init) }
          .sorted { $0.lexicographicallyPrecedes($1) { $0.lexicographicallyPrecedes($1) } }
          .map { ObjectKey(String(decoding: Array($0.joined(separator: [47])), as: UTF8.self)) }
      case .none: self.names = names.sorted { $0.hashValue < $1.hashValue }.map { ObjectKey($0) }
      }
    }

    func list(_ request: ListRequest) -> ListPage {
      var entries: [ObjectKey] = []
      var groups: Set<ObjectKey> = []
      for key in names where key.hasPrefix(request.prefix) {
        let rest = key.string.utf8.dropFirst(request.prefix.byteCount)
        if request.groupedByDirectory, let slash = rest.firstIndex(of: UInt8(ascii: "/")) {
          let group = ObjectKey(String(key.string[...slash]))
          if groups.insert(group).inserted { entries.append(group) }
        } else {
          entries.append(key)
        }
      }
      let start = request.continuation.flatMap { Int($0) } ?? 0
      let end = min(start + request.limit, entries.count)
      let shown = entries[start..<end]
      var page = ListPage(
        objects: shown.filter { !groups.contains($0) }.sorted()
          .map { ObjectInfo(key: $0, size: 1, etag: ETag("e"), modified: 0) },
        directories: shown.filter { groups.contains($0) }.sorted(),
        continuation: end < entries.count ? String(end) : nil)
      page.isOrdered = page.objects.map(\.key) == shown.filter { !groups.contains($0) }
      return page
    }
  }

  /// What a plan came to.
  struct Run {
    var keys: Set<String> = []
    var objects = 0
    var requests = 0
    var mostAtOnce = 0
  }

  /// Lists below a prefix; answers come in any order.
  private func run(_ service: Service, _ prefix: String, limit: Int, _ random: inout SeededGenerator) -> Run {
    var plan = ListingPlan(prefix: ObjectKey(prefix), limit: limit)
    var asked: [ListingPlan.Request] = []
    var run = Run()
    while true {
      while let request = plan.next() { asked.append(request) }
      run.mostAtOnce = max(run.mostAtOnce, asked.count)
      guard !asked.isEmpty else { return run }
      let request = asked.remove(at: Int.random(in: 0..<asked.count, using: &random))
      let page = service.list(request.list)
      run.requests += 1
      run.keys.formUnion(page.objects.map(\.key.string))
      run.objects += page.objects.count
      plan.take(page, of: request)
    }
  }

  @Test("nothing is left out", arguments: Order.allCases, UInt64(1)...12)
  func complete(order: Order, seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    // Few different names, so that directories are shared; some that are each other's beginning, empty or not ASCII.
    let parts = ["a", "a-", "a0", "ab", "b", "", "é", "è", "日", "日本", "446300", "446301", "44630", "~", "meta"]
    var names: Set<String> = []
    for _ in 0..<Int.random(in: 1...150, using: &random) {
      let depth = Int.random(in: 1...5, using: &random)
      let path = (0..<depth).map { _ in
        Bool.random(using: &random)
          ? parts.randomElement(using: &random) ?? "" : String(Int.random(in: 0..<50, using: &random))
      }
      names.insert("p/" + path.joined(separator: "/"))
    }
    let service = Service(names, order)
    // Few keys are in order by chance.
    for limit in order == .none ? [40, 1000] : [1, 2, 3, 10, 50, 1000] {
      for prefix in ["p/", "", "p/a", "p/a/"] {
        let run = run(service, prefix, limit: limit, &random)
        #expect(
          run.keys == names.filter { ObjectKey($0).hasPrefix(ObjectKey(prefix)) }, "limit \(limit), prefix \(prefix)")
      }
    }
  }

  @Test("a large backup is listed by many requests at once, and not by many more than it has pages")
  func large() {
    var random = SeededGenerator(seed: 1)
    var names: Set<String> = ["b/meta/full_meta.json"]
    for segment in 0..<3_000 {
      for field in [0, 1, 100, 101] { names.insert("b/binlogs/insert_log/1/2/\(446_300_000 + segment)/\(field)/5") }
    }
    for order in [Order.bytes, .tree] {
      let run = run(Service(names, order), "b/", limit: 200, &random)
      #expect(run.keys == names)
      #expect(run.mostAtOnce >= 8)
      #expect(run.requests < 61 * 3, "\(run.requests) requests; in order there are 61 pages")
      #expect(run.objects < names.count + 400, "\(run.objects) objects in all pages")
    }
    let flat = run(Service(Set((0..<1_000).map { "b/\($0)" }), .bytes), "b/", limit: 100, &random)
    #expect(flat.requests == 13, "three pages and then all of the directory's")
    let medium = run(Service(Set((0..<300).map { "b/\($0 / 4)/\($0)" }), .bytes), "b/", limit: 100, &random)
    #expect(medium.requests == 3 && medium.mostAtOnce == 1, "three pages are not worth dividing")
    let small = run(Service(["b/x/1", "b/y/2"], .bytes), "b/", limit: 100, &random)
    #expect(small.requests == 1)
  }

  @Test("what walks behind is not overtaken: directories come in the order of their names")
  func order() {
    var names: Set<String> = []
    for segment in 0..<1_000 {
      for field in 0..<4 { names.insert("b/s/\(446_300_000 + segment)/\(field)/5") }
    }
    let service = Service(names, .bytes)
    var plan = ListingPlan(prefix: "b/", limit: 100)
    var prefixes: [ObjectKey] = []
    var objects = 0
    while let request = plan.next() {
      if !request.list.groupedByDirectory { prefixes.append(request.list.prefix) }
      let page = service.list(request.list)
      objects += page.objects.count
      plan.take(page, of: request)
    }
    #expect(prefixes == prefixes.sorted())
    #expect(prefixes.count > 10)
    #expect(objects < names.count + 100, "\(objects) objects in all pages")
  }

  @Test("a store is listed so, and an error ends it")
  func store() async throws {
    let store = MemoryStore()
    let names = Set((0..<300).map { "x/\($0 % 7)/\($0 % 50)/\($0)" })
    for name in names { try await store.put(ObjectKey(name), [1], condition: .none) }
    var seen: Set<String> = []
    try await store.listAtOnce("x/", limit: 10) { page, _ in seen.formUnion(page.objects.map(\.key.string)) }
    #expect(seen == names)
    struct Stop: Error {}
    await #expect(throws: Stop.self) { try await store.listAtOnce("x/", limit: 10) { _, _ in throw Stop() } }
  }
}

/// The same numbers for the same seed (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }
}
