// Whether standard error is a terminal, and how wide.

import Glibc

enum Terminal {
  /// Its width in characters; nil when it is none.
  static var columns: Int? {
    guard isatty(STDERR_FILENO) == 1 else { return nil }
    var size = winsize()
    guard ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
    return Int(size.ws_col)
  }
}
