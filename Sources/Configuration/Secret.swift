// A text that must not be seen: a password, a secret key or a token.
//
// Invariant: the value leaves this type through `reveal()` only. Descriptions, reflection and dumps show a mask.

/// A text that shows itself only when asked explicitly.
public struct Secret: Hashable, Sendable {
  private let value: String

  /// Hides `value`.
  public init(_ value: String = "") {
    self.value = value
  }

  /// Whether there is nothing to hide.
  public var isEmpty: Bool { value.isEmpty }

  /// The value itself. Never put it into an error, a log or a description.
  public func reveal() -> String { value }
}

extension Secret: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  /// A mask, or an empty text if there is nothing to hide.
  public var description: String { isEmpty ? "" : "***" }

  /// The same as ``description``.
  public var debugDescription: String { description }

  /// A mirror without children.
  public var customMirror: Mirror { Mirror(self, children: EmptyCollection<Mirror.Child>()) }
}
