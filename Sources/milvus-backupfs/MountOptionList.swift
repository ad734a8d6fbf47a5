// The value of `-o`: a list as mount(8) and fstab have it.

/// Options of a mount, in the words of mount(8).
struct MountOptionList: Equatable {
  var isReadOnly = false
  var allowsOther = false
  /// Removes the mount of a daemon that is gone first.
  var replacesStale = false
  /// Closes return before files are in the store.
  var writesBehind = false
  var owner: UInt32?
  var group: UInt32?
  /// Permission bits that are taken away from 0777 for directories and 0666 for files.
  var mask: UInt16?
  var log: String?
  /// Seconds for which what a listing showed is believed.
  var lifetime: Double?

  /// Words that concern mount(8), systemd or things that FUSE has anyway; they have no effect here.
  private static let ignored: Set<String> = [
    "_netdev", "async", "auto", "defaults", "dev", "exec", "fail", "group", "noatime", "noauto", "nodev", "nodiratime",
    "noexec", "nofail", "nosuid", "nouser", "owner", "relatime", "rw", "strictatime", "suid", "user", "users",
  ]

  /// An option that cannot be followed.
  struct Malformed: Error, Equatable {
    var message: String
  }

  /// Reads a list such as `ro,allow_other,uid=1000,umask=027`.
  init(_ text: String) throws(Malformed) {
    for word in text.split(separator: ",") {
      let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      let (name, value) = (parts[0], parts.count > 1 ? parts[1] : nil)
      switch name {
      case "ro": isReadOnly = true
      case "rw": isReadOnly = false
      case "allow_other": allowsOther = true
      case "replace": replacesStale = true
      case "write_behind": writesBehind = true
      case "uid": owner = try Self.number(name, value, radix: 10)
      case "gid": group = try Self.number(name, value, radix: 10)
      case "umask":
        let number = try Self.number(name, value, radix: 8)
        guard number <= 0o777 else { throw Malformed(message: "umask=\(value ?? "") is above 777") }
        mask = UInt16(number)
      case "lifetime":
        guard let value, let seconds = Double(value), (0...3600).contains(seconds) else {
          throw Malformed(message: "lifetime needs a number of seconds from 0 to 3600, such as lifetime=1")
        }
        lifetime = seconds
      case "log":
        guard let value, !value.isEmpty else { throw Malformed(message: "log needs a path: log=/var/log/milvus.log") }
        log = value
      case _ where Self.ignored.contains(name) || name.hasPrefix("x-") || name.hasPrefix("comment"): continue
      default:
        throw Malformed(
          message:
            "there is no mount option \(name); there are ro, rw, allow_other, uid=, gid=, umask=, lifetime=, log=, replace, "
            + "write_behind (and those of mount(8) such as _netdev and nofail, which have no effect here)")
      }
    }
  }

  private static func number(_ name: String, _ value: String?, radix: Int) throws(Malformed) -> UInt32 {
    guard let value, let number = UInt32(value, radix: radix) else {
      throw Malformed(
        message: "\(name) needs \(radix == 8 ? "an octal number, such as umask=027" : "a number, such as \(name)=1000")"
      )
    }
    return number
  }
}
