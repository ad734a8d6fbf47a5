// The answer that one request of the kernel is owed.
//
// A reply cannot be copied, and every way to answer consumes it: a second answer does not compile, and a reply that is
// dropped unanswered answers EIO, so that no program waits forever. After the answer libfuse frees the request.

import BackupFileSystem
import CFUSE
import SystemPackage

/// The one answer to one request.
struct Reply: ~Copyable, Sendable {
  // libfuse lets any one thread answer a request, and this value, which cannot be copied, is the only way to do so.
  private nonisolated(unsafe) let request: fuse_req_t
  /// What was asked.
  let operation: Operation

  init(_ request: fuse_req_t, _ operation: Operation) {
    self.request = request
    self.operation = operation
  }

  deinit {
    fuse_reply_err(request, Errno.ioError.rawValue)
  }

  /// Who asks.
  var caller: Caller {
    guard let context = fuse_req_ctx(request) else { return Caller(thread: 0, user: 0, group: 0) }
    return Caller(thread: context.pointee.pid, user: context.pointee.uid, group: context.pointee.gid)
  }

  /// Where interrupts of this request are asked for.
  var interrupts: Interrupts { Interrupts(request: request) }

  // MARK: Answers

  /// It failed.
  consuming func failure(_ errno: Errno) {
    fuse_reply_err(request, errno.rawValue)
    discard self
  }

  /// It is done; there is nothing more to say.
  consuming func done() {
    fuse_reply_err(request, 0)
    discard self
  }

  /// A name was found or made.
  /// - Returns: false when the kernel no longer wants to know: the reference that came with the entry is not taken.
  consuming func entry(_ entry: Entry) -> Bool {
    var parameters = fuse_entry_param(entry)
    let delivered = fuse_reply_entry(request, &parameters) == 0
    discard self
    return delivered
  }

  /// Attributes.
  consuming func attributes(_ timed: TimedAttributes) {
    var figures = stat(timed.attributes)
    fuse_reply_attr(request, &figures, timed.timeToLive)
    discard self
  }

  /// A file is open.
  /// - Returns: false when the kernel no longer wants to know: no RELEASE will follow.
  consuming func opened(_ opened: OpenedFile) -> Bool {
    var information = fuse_file_info(opened)
    let delivered = fuse_reply_open(request, &information) == 0
    discard self
    return delivered
  }

  /// A file was made and opened.
  /// - Returns: false when the kernel no longer wants to know: no RELEASE will follow and no reference is taken.
  consuming func created(_ created: CreatedFile) -> Bool {
    var parameters = fuse_entry_param(created.entry)
    var information = fuse_file_info(created.opened)
    let delivered = fuse_reply_create(request, &parameters, &information) == 0
    discard self
    return delivered
  }

  /// A directory is open.
  /// - Returns: false when the kernel no longer wants to know: no RELEASEDIR will follow.
  consuming func openedDirectory(_ handle: FileHandle) -> Bool {
    var information = fuse_file_info()
    information.fh = handle
    let delivered = fuse_reply_open(request, &information) == 0
    discard self
    return delivered
  }

  /// Bytes of a file, straight from where they are.
  consuming func bytes(_ bytes: ArraySlice<UInt8>) {
    bytes.withUnsafeBytes { _ = fuse_reply_buf(request, $0.baseAddress, $0.count) }
    discard self
  }

  /// Lines of a directory.
  /// - Returns: false when the kernel no longer wants to know: it takes no references.
  consuming func page(_ page: UnsafeRawBufferPointer) -> Bool {
    let delivered = fuse_reply_buf(request, page.baseAddress, page.count) == 0
    discard self
    return delivered
  }

  /// So many bytes were written or copied; the kernel's field has 32 bits.
  consuming func count(_ count: UInt32) {
    fuse_reply_write(request, Int(count))
    discard self
  }

  /// Figures for `df`.
  consuming func statistics(_ statistics: FileSystemStatistics) {
    var figures = statvfs(statistics)
    fuse_reply_statfs(request, &figures)
    discard self
  }
}

/// The interrupts of a request, to be asked for once, before anybody can answer it: the answer frees the request.
struct Interrupts {
  fileprivate let request: fuse_req_t

  /// Has libfuse call `function` with `number` when the kernel interrupts the request: perhaps from within this call,
  /// perhaps from another thread, perhaps while the answer is being sent. A number, unlike an object, need not be kept
  /// alive for that.
  func call(_ function: @escaping @convention(c) (fuse_req_t?, UnsafeMutableRawPointer?) -> Void, with number: UInt) {
    fuse_req_interrupt_func(request, function, UnsafeMutableRawPointer(bitPattern: number))
  }
}
