// Being `mount.milvus-backupfs`: mount(8) runs a program of that name for file systems of that type, such as those in
// /etc/fstab, with arguments of its own (mount(8), "External helpers").

/// Translates the arguments of a mount helper.
enum MountHelper {
  /// The name under which the program is a helper.
  static let name = "mount.milvus-backupfs"

  /// The arguments of the command that the helper's arguments mean; nil when the program runs under another name.
  ///
  /// A helper gets `SOURCE DIRECTORY [-sfnv] [-N namespace] [-o options] [-t type]`.
  static func arguments(_ all: [String]) -> [String]? {
    guard let program = all.first, program.split(separator: "/").last.map(String.init) == name else { return nil }
    var operands: [String] = []
    var options: [String] = []
    var rest = all.dropFirst().makeIterator()
    while let word = rest.next() {
      switch word {
      case "-o": if let list = rest.next() { options += ["-o", list] }
      // The namespace is mount's business, the type is ours.
      case "-N", "-t": _ = rest.next()
      case _ where word.hasPrefix("-") && word.count > 1 && word.dropFirst().allSatisfy { "sfnv".contains($0) }:
        // `mount -f` pretends only.
        if word.contains("f") { return ["--version"] }
      default: operands.append(word)
      }
    }
    return ["mount"] + operands + options
  }
}
