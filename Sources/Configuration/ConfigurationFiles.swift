// The only file of this module which touches the file system.

import Glibc

/// Reads configuration files and folders.
enum ConfigurationFiles {
  /// What a path leads to.
  enum Kind: Equatable {
    case file
    case folder
  }

  /// A larger file is not a configuration.
  private static let maximumSize = 1 << 20

  /// What `path` leads to, symbolic links followed; nil if nothing is there.
  static func kind(of path: String) throws(ConfigurationError) -> Kind? {
    var status = stat()
    guard stat(path, &status) == 0 else {
      if errno == ENOENT || errno == ENOTDIR { return nil }
      throw failure("cannot be examined", path)
    }
    return status.st_mode & S_IFMT == S_IFDIR ? .folder : .file
  }

  /// The names in a folder, in no particular order.
  static func names(inFolder path: String) throws(ConfigurationError) -> [String] {
    guard let folder = opendir(path) else { throw failure("cannot be listed", path) }
    defer { closedir(folder) }
    var names: [String] = []
    errno = 0
    while let entry = readdir(folder) {
      names.append(name(of: entry))
      errno = 0
    }
    guard errno == 0 else { throw failure("cannot be listed", path) }
    return names
  }

  /// The text of a file.
  static func contents(ofFile path: String) throws(ConfigurationError) -> String {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw failure("cannot be opened", path) }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = read(descriptor, &chunk, chunk.count)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw failure("cannot be read", path) }
      guard count > 0 else { break }
      bytes += chunk[..<count]
      guard bytes.count <= maximumSize else {
        throw ConfigurationError(file: path, "the file is larger than \(maximumSize) bytes; it is no configuration.")
      }
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw ConfigurationError(file: path, "the file is not a text in UTF-8.")
    }
    return text
  }

  /// The name in a directory entry, which may be allocated shorter than its type says.
  private static func name(of entry: UnsafeMutablePointer<dirent>) -> String {
    let offset = MemoryLayout<dirent>.offset(of: \.d_name) ?? 0
    return String(cString: (UnsafeRawPointer(entry) + offset).assumingMemoryBound(to: CChar.self))
  }

  private static func failure(_ problem: String, _ path: String) -> ConfigurationError {
    ConfigurationError(file: path, "\(problem): \(String(cString: strerror(errno))).")
  }
}
