// Listings: complete, with any buffer, with any name, and with balanced references.

import BackupFileSystem
import Testing

extension Mounted {
  @Suite struct DirectoryTests {
    /// Lists a directory with getdents64 and a buffer of a given size: inode, offset, type and name of each entry.
    static let listing = """
      import ctypes, os, struct, sys
      libc = ctypes.CDLL(None, use_errno=True)
      number = {'x86_64': 217, 'aarch64': 61}[os.uname().machine]
      descriptor = os.open(sys.argv[1], os.O_RDONLY | os.O_DIRECTORY)
      buffer = ctypes.create_string_buffer(int(sys.argv[2]))
      while True:
          count = libc.syscall(number, descriptor, buffer, len(buffer))
          assert count >= 0, os.strerror(ctypes.get_errno())
          if count == 0: break
          at = 0
          while at < count:
              inode, offset, length, kind = struct.unpack_from('=QqHB', buffer, at)
              name = ctypes.string_at(ctypes.addressof(buffer) + at + 19)
              print(inode, kind, name.decode())
              at += length
      """

    @Test(arguments: [300, 4096, 131_072])
    func aLargeDirectoryIsListedCompletely(bufferSize: Int) async throws {
      let fileSystem = MemoryFileSystem()
      let directory = fileSystem.add("d", kind: .directory)
      var expected = ["\(directory) 4 .", "1 4 .."]
      for index in 0..<3000 {
        let kind: FileKind = index % 3 == 0 ? .directory : .file
        let inode = fileSystem.add("entry-\(index)", to: directory, kind: kind)
        expected.append("\(inode) \(kind == .directory ? 4 : 8) entry-\(index)")
      }
      try await TestMount.with(fileSystem) { mount in
        let result = try await mount.shell("python3 -c \"\(Self.listing)\" $M/d \(bufferSize)")
        #expect(result.status == 0)
        #expect(result.output.split(separator: "\n").map(String.init) == expected)
      }
    }

    @Test func dotsHaveTheNumbersOfTheDirectoryAndItsParent() async throws {
      let fileSystem = MemoryFileSystem()
      let outer = fileSystem.add("outer", kind: .directory)
      let inner = fileSystem.add("inner", to: outer, kind: .directory)
      try await TestMount.with(fileSystem) { mount in
        let result = try await mount.shell("mkdir $M/outer/new; ls -a1i $M/outer/inner $M/outer/new | grep ' \\.'")
        let new = try #require(fileSystem.recorded.nodes[outer]?.children.last?.inode)
        #expect(
          result.output.split(separator: "\n").map { $0.split(separator: " ").joined(separator: " ") } == [
            "\(inner) .", "\(outer) ..", "\(new) .", "\(outer) ..",
          ])
      }
    }

    @Test func aListingThatIsReadTwiceFromOneDescriptorIsTheSame() async throws {
      let fileSystem = MemoryFileSystem()
      for index in 0..<500 { fileSystem.add("entry-\(index)") }
      try await TestMount.with(fileSystem) { mount in
        let result = try await mount.shell(
          """
          python3 - $M <<'END'
          import os, sys
          descriptor = os.open(sys.argv[1], os.O_RDONLY)
          first = os.listdir(descriptor)
          os.lseek(descriptor, 0, os.SEEK_SET)
          open(sys.argv[1] + '/later', 'w').close()
          print(len(first), first == os.listdir(descriptor), 'later' in os.listdir(sys.argv[1]))
          END
          """)
        #expect(result.output == "500 True True\n")
      }
    }

    @Test func aListingTellsTheKernelAllAttributes() async throws {
      let fileSystem = MemoryFileSystem(timeToLive: 600)
      for index in 0..<1000 { fileSystem.add("entry-\(index)", contents: [1]) }
      try await TestMount.with(fileSystem) { mount in
        let result = try await mount.shell("ls -l $M | wc -l; find $M -type f -size 1 | wc -l")
        #expect(result.output == "1001\n1000\n")
        // That no LOOKUP follows is up to the kernel, as long as nobody empties its caches meanwhile.
        #expect(fileSystem.recorded.remembered >= 1000)
      }
    }

    @Test(arguments: [
      String(repeating: "n", count: 255), "grüße-日本語-🧬", "with blank\tand\nfeed", "-dash", "back\\slash'quote\"",
    ])
    func keepsNamesAsTheyAre(name: String) async throws {
      let fileSystem = MemoryFileSystem()
      try await TestMount.with(fileSystem) { mount in
        let made = try await ShellCommand(
          """
          mkdir -- "$M/$1" && echo text > "$M/$1/$1" && cat -- "$M/$1/$1" &&
            ls -N -w0 --show-control-chars -- "$M/$1"
          """, in: mount.path, [name]
        ).result
        #expect(made.output == "text\n\(name)\n")
        #expect(fileSystem.recorded.nodes[1]?.children.map(\.name) == [name])
      }
    }

    @Test func namesThatAreTooLongOrNoTextAreRefused() async throws {
      let fileSystem = MemoryFileSystem()
      fileSystem.add("f")
      try await TestMount.with(fileSystem) { mount in
        let result = try await mount.shell(
          """
          cd $M; mkdir $(printf 'n%.0s' {1..256}) 2>&1 | grep -o 'File name too long'
          for action in cat touch mkdir rmdir rm 'mv -T f'; do $action $'a\\xff' 2>&1 | grep -oE '[^:]+$'; done
          ls
          """)
        let illegal = " Invalid or incomplete multibyte or wide character"
        let missing = " No such file or directory"
        #expect(
          result.output.split(separator: "\n").map(String.init) == [
            "File name too long", missing, illegal, illegal, missing, missing, illegal, "f",
          ])
        #expect(fileSystem.calls("create") + fileSystem.calls("makeDirectory") + fileSystem.calls("rename") == 0)
      }
    }

    @Test(arguments: [1.0, 0.0])
    func everyReferenceIsGivenBack(timeToLive: Double) async throws {
      let fileSystem = MemoryFileSystem(timeToLive: timeToLive)
      let directory = fileSystem.add("d", kind: .directory)
      for index in 0..<300 { fileSystem.add("entry-\(index)", to: directory, contents: [1, 2]) }
      try await TestMount.with(fileSystem) { mount in
        let result = try await mount.shell(
          """
          set -e; cd $M; ls -lR . > /dev/null; find . > /dev/null; cp -r d e; mkdir -p x/y; mv d/entry-0 d/zero; rm -r e
          cat d/entry-1 d/entry-2 > both; ls -la d > /dev/null
          python3 -c "\(Self.listing)" d 300 > /dev/null & listing=$!
          python3 -c "\(Self.listing)" d 400 > /dev/null
          wait $listing
          """)
        #expect(result.status == 0)
        #expect(fileSystem.calls("lookup") > 0 && fileSystem.recorded.remembered > 0)
        while !fileSystem.referenced.isEmpty {
          try Task.checkCancellation()
          let dropped = try await shell("echo 2 > /proc/sys/vm/drop_caches")
          try #require(dropped.status == 0)
        }
        #expect(fileSystem.recorded.references.values.allSatisfy { $0 >= 0 })
      }
    }
  }
}
