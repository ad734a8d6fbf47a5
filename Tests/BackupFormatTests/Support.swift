// What the tests of this module share: fixtures, short ways to make and read messages, a seeded generator.

import BackupFormat
import Foundation
import Testing

/// Metadata files of past and present versions of milvus-backup, named by what they are.
enum Fixture: String, CaseIterable {
  case levelledWithoutGroups = "2022-levelled-without-groups"
  case numberedGroups = "2023-numbered-groups"
  case fakeL0 = "0.4.30-fake-l0"
  case version0509 = "0.5.9"
  case current = "current-with-l0"
  case minimal235 = "2.3.5-minimal"

  func bytes(_ file: MetaFile) throws -> [UInt8] {
    let folder = try #require(Bundle.module.resourceURL).appending(path: "Fixtures/\(rawValue)")
    return Array(try Data(contentsOf: folder.appending(path: file.path)))
  }

  /// All files of the fixture.
  func files() throws -> [MetaFile: [UInt8]] {
    var files: [MetaFile: [UInt8]] = [:]
    for file in MetaFile.allCases {
      if let bytes = try? bytes(file) { files[file] = bytes }
    }
    return files
  }

  func read() throws -> MetaFiles.Reading {
    try MetaFiles.decode(files())
  }
}

/// A generator whose numbers depend on the seed only, so that a failing test fails again.
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

/// The message of the error that `body` throws.
func sentence(_ body: () throws -> some Any) -> String {
  do {
    return "no error: \(try body())"
  } catch {
    return "\(error)"
  }
}
