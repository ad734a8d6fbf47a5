// Which requests list everything below a prefix, so that several of them can run at once: a value without I/O.
//
// S3 lists in order, a page of 1,000 keys at a time, and each page is named by the one before: one request at a time. When
// three pages were not all, the rest is divided. Along the path of the page's last key each directory is
// asked for the directories right below it; what those hold is listed by prefixes that each cover as many of them as make
// up to three pages, cut anywhere in a name: `…/4463` covers all segments whose ids begin so.
//
// Invariants:
// - Each key that is there from beginning to end is in some page. It may be in several.
// - That holds for every order in which directories are contiguous, not only for S3's: services that walk a tree of
//   directories put `b/1` before `b-1`. A page that is in no order at all divides nothing.
// - A prefix is divided only into longer ones, so it ends.

/// Divides a listing into requests.
public struct ListingPlan: Sendable {
  /// One page to be asked for.
  public struct Request: Sendable {
    /// What to ask the store for.
    public let list: ListRequest
    fileprivate let work: Int
  }

  /// What a series of pages is for.
  private enum Work {
    /// The first pages, with what they showed so far: whether there is enough to divide.
    case beginning(pages: Int, objects: [ObjectInfo])
    /// Everything below its prefix, in order for so many more pages before it is divided.
    case flat(pages: Int)
    /// What lies right in a directory and which directories do.
    case level(Level)
  }

  private struct Level {
    /// Directories below it that are listed already, or by another level.
    var done: Set<ObjectKey>
    /// How many objects lie below each of its directories, as far as one can tell.
    var objectsEach: Int?
    var directories: Set<ObjectKey> = []
  }

  /// Requests that a level is divided into when nothing is known of how much lies below its directories.
  private static let blindGroups = 64
  /// Requests that a level is divided into at least, so that they can run at once.
  private static let leastGroups = 8
  /// Pages that are listed one after the other before the rest is divided: to divide less costs a store more than it gains.
  private static let firstPages = 3
  /// Pages that a group of directories is meant to have at most. It may well be one: names begin alike in tens.
  private static let pagesOfGroup = 3

  private let limit: Int
  private var works: [Int: Work] = [:]
  private var counter = 0
  /// What is to be asked for next comes last.
  private var waiting: [Request] = []

  /// Plans to list everything below a prefix, in pages of at most `limit` keys.
  public init(prefix: ObjectKey, limit: Int = 1000) {
    self.limit = limit
    ask(.beginning(pages: Self.firstPages, objects: []), prefix, grouped: false)
  }

  /// A page that can be asked for now; nil when what is to come depends on pages that have been asked for. When there are
  /// none of those either, everything is listed.
  public mutating func next() -> Request? { waiting.popLast() }

  /// Learns from a page.
  public mutating func take(_ page: ListPage, of request: Request) {
    guard let work = works[request.work] else { return }
    switch work {
    case .beginning(let pages, let earlier):
      let objects = earlier + page.objects
      if pages <= 1, page.continuation != nil, divide(request, page, objects) { return }
      works[request.work] =
        page.isOrdered && pages > 1 ? .beginning(pages: pages - 1, objects: objects) : .flat(pages: 0)
    case .flat(let pages):
      if pages <= 0, page.continuation != nil, divide(request, page, page.objects) { return }
      works[request.work] = .flat(pages: pages - 1)
    case .level(var level):
      level.directories.formUnion(page.directories)
      if page.continuation != nil {
        works[request.work] = .level(level)
      } else {
        cover(level, below: request.list.prefix)
      }
    }
    if page.continuation == nil {
      works[request.work] = nil
    } else {
      var list = request.list
      list.continuation = page.continuation
      enqueue(Request(list: list, work: request.work))
    }
  }

  private mutating func ask(_ work: Work, _ prefix: ObjectKey, grouped: Bool) {
    counter += 1
    works[counter] = work
    let list = ListRequest(prefix: prefix, groupedByDirectory: grouped, limit: limit)
    enqueue(Request(list: list, work: counter))
  }

  /// Puts a request in its place: levels first, for much depends on them, then in the order of keys, which is the order in
  /// which a tree is walked.
  private mutating func enqueue(_ request: Request) {
    func isBefore(_ one: Request, _ other: Request) -> Bool {
      guard one.list.groupedByDirectory == other.list.groupedByDirectory else { return one.list.groupedByDirectory }
      return one.list.prefix < other.list.prefix
    }
    var (low, high) = (0, waiting.count)
    while low < high {
      let middle = (low + high) / 2
      if isBefore(waiting[middle], request) { high = middle } else { low = middle + 1 }
    }
    waiting.insert(request, at: low)
  }

  /// Asks for the directories on the way to the last key of a page instead of the pages behind it.
  /// - Parameter objects: of this page, or of all until this one.
  /// - Returns: false when the page says nothing of where it ends.
  private mutating func divide(_ request: Request, _ page: ListPage, _ objects: [ObjectInfo]) -> Bool {
    guard page.isOrdered, let key = page.objects.last?.key.string.utf8 else { return false }
    works[request.work] = nil
    let prefix = request.list.prefix
    let slash = UInt8(ascii: "/")
    let start = prefix.string.utf8
    var end = start.lastIndex(of: slash).map { start.distance(from: start.startIndex, to: $0) + 1 } ?? 0
    var isFirst = true
    while true {
      let directory = ObjectKey(String(Substring(key.prefix(end))))
      ask(.level(level(directory, objects)), isFirst ? prefix : directory, grouped: true)
      isFirst = false
      guard let next = key.dropFirst(end).firstIndex(of: slash) else { return true }
      end = key.distance(from: key.startIndex, to: next) + 1
    }
  }

  /// What pages tell of a directory.
  private func level(_ directory: ObjectKey, _ shown: [ObjectInfo]) -> Level {
    var seen: Set<ObjectKey> = []
    var last: Substring.UTF8View?
    var objects = 0
    var objectsOfLast = 0
    for object in shown where object.key.hasPrefix(directory) {
      let rest = object.key.string.utf8.dropFirst(directory.byteCount)
      guard let slash = rest.firstIndex(of: UInt8(ascii: "/")) else {
        last = nil
        objectsOfLast = 0
        continue
      }
      let name = rest[...slash]
      if let last, last.elementsEqual(name) {
        objectsOfLast += 1
      } else {
        last = name
        objectsOfLast = 1
        seen.insert(ObjectKey(directory.string + String(Substring(name))))
      }
      objects += 1
    }
    // The page may end within the last one.
    let whole = seen.count - (last == nil ? 0 : 1)
    return Level(done: seen, objectsEach: whole > 0 ? max(1, (objects - objectsOfLast) / whole) : nil)
  }

  /// Asks for everything below the directories of a level that is not listed yet.
  private mutating func cover(_ level: Level, below prefix: ObjectKey) {
    let directories = level.directories.sorted()
    let names = directories.map { Array($0.string.utf8) }
    let isDone = directories.map { level.done.contains($0) }
    let open = isDone.count { !$0 }
    let size =
      level.objectsEach.map { min(limit * Self.pagesOfGroup / $0, open / Self.leastGroups) }
      ?? (open / Self.blindGroups)
    cover(0..<names.count, names, isDone, size: max(1, size), longerThan: prefix.byteCount)
  }

  private mutating func cover(
    _ range: Range<Int>, _ names: [[UInt8]], _ isDone: [Bool], size: Int, longerThan length: Int
  ) {
    let open = range.filter { !isDone[$0] }
    guard let first = open.first, let last = open.last else { return }
    let common = zip(names[first], names[last]).prefix { $0 == $1 }.count
    // What is done and begins so would be listed once more.
    let begin = names[first].prefix(common)
    let (low, high) = (
      (range.lowerBound..<first).first { names[$0].starts(with: begin) } ?? first,
      (last..<range.upperBound).last { names[$0].starts(with: begin) } ?? last
    )
    // Not within a character.
    var cut = common
    while cut < names[first].count, cut > 0, names[first][cut] & 0b1100_0000 == 0b1000_0000 { cut -= 1 }
    if high - low < size, cut > length {
      ask(
        .flat(pages: Self.pagesOfGroup), ObjectKey(String(decoding: names[first][..<cut], as: UTF8.self)),
        grouped: false)
      return
    }
    var start = low
    while start <= high {
      // No name is the beginning of another: each ends in the only `/` behind its directory.
      let end = (start...high).first { names[$0][common] != names[start][common] } ?? high + 1
      cover(start..<end, names, isDone, size: size, longerThan: length)
      start = end
    }
  }
}

extension ObjectStore {
  /// Every object below a prefix, page by page, several pages at once where there are many. The objects of one page are in
  /// bytewise key order, the pages in none, and an object may come more than once.
  ///
  /// - Parameters:
  ///   - inFlight: requests at once.
  ///   - limit: most keys of a page.
  ///   - each: gets the pages with what each was asked for, without the directories that some of them name. If the first
  ///     page has no continuation, it is all.
  public func listAtOnce(
    _ prefix: ObjectKey, inFlight: Int = 8, limit: Int = 1000,
    each: (_ page: ListPage, _ request: ListRequest) throws -> Void
  ) async throws {
    var plan = ListingPlan(prefix: prefix, limit: limit)
    // One request is what most listings are.
    guard let first = plan.next() else { return }
    let page = try await list(first.list)
    guard page.continuation != nil else { return try each(page, first.list) }
    plan.take(page, of: first)
    try await withThrowingTaskGroup(of: (request: ListingPlan.Request, page: ListPage).self) { group in
      var running = 0
      var latest = (page: page, request: first)
      while true {
        while running < inFlight, let request = plan.next() {
          group.addTask { (request, try await self.list(request.list)) }
          running += 1
        }
        // While the next ones are on their way.
        latest.page.directories = []
        if !latest.page.objects.isEmpty { try each(latest.page, latest.request.list) }
        guard let answer = try await group.next() else { return }
        running -= 1
        plan.take(answer.page, of: answer.request)
        latest = (answer.page, answer.request)
      }
    }
  }
}
