// Ordinary tools on a mount, once with answers from memory and once with answers that come later.

import BackupFileSystem
import Testing

extension Mounted {
  @Suite struct ToolTests {
    @Test(arguments: [false, true])
    func copiesATreeInAndOutUnchanged(answersLate: Bool) async throws {
      try await TestMount.with(MemoryFileSystem(answersLate: answersLate)) { mount in
        let result = try await mount.shell(
          """
          set -e; work=$(mktemp -d); trap 'rm -r $work' EXIT
          mkdir -p $work/in/a/b/c $work/in/empty; : > $work/in/a/nothing
          for i in 1 2 3 4 5 6 7; do head -c $((i * 300001)) /dev/urandom > $work/in/a/b/c/file-$i; done
          cp -r $work/in $M/tree
          diff -r $work/in $M/tree
          cp -r $M/tree $M/second; diff -r $work/in $M/second
          cp -r $M/second $work/out; diff -r $work/in $work/out
          tar -C $M -cf - tree | tar -C $work -xf - ; diff -r $work/in $work/tree
          find $M/tree | wc -l; du -sb --apparent-size $M/tree/a/b/c | cut -f1
          """)
        #expect(result.status == 0)
        #expect(result.output == "13\n\(28 * 300_001)\n")
      }
    }

    @Test(arguments: [false, true])
    func readsAndWritesPartsOfFiles(answersLate: Bool) async throws {
      let fileSystem = MemoryFileSystem(answersLate: answersLate)
      fileSystem.add("numbers", contents: Array("0123456789".utf8))
      try await TestMount.with(fileSystem) { mount in
        let result = try await mount.shell(
          """
          set -e; cd $M
          head -c 3 numbers; tail -c 2 numbers; echo
          dd if=numbers bs=1 skip=4 count=2 status=none; echo
          printf XY | dd of=numbers bs=1 seek=5 conv=notrunc status=none; cat numbers; echo
          truncate -s 4 numbers; cat numbers; echo
          echo more >> numbers; cat numbers
          truncate -s 12 numbers; od -An -c numbers | tr -s ' '
          """)
        #expect(result.status == 0)
        #expect(result.output == "01289\n45\n01234XY789\n0123\n0123more\n 0 1 2 3 m o r e \\n \\0 \\0 \\0\n")
      }
    }

    @Test(arguments: [false, true])
    func makesAndRemovesDirectories(answersLate: Bool) async throws {
      try await TestMount.with(MemoryFileSystem(answersLate: answersLate)) { mount in
        let result = try await mount.shell(
          """
          cd $M; mkdir -p d/e; echo x > d/e/f; rmdir d; rmdir d/none; mkdir d; rm d/e/f && rmdir d/e && ls d | wc -l
          mkdir -p d/g/h; touch d/g/h/i; rm -r d; ls | wc -l
          """)
        #expect(
          result.output == """
            rmdir: failed to remove 'd': Directory not empty
            rmdir: failed to remove 'd/none': No such file or directory
            mkdir: cannot create directory ‘d’: File exists
            0
            0

            """)
      }
    }

    @Test func movesWithinADirectoryByRename() async throws {
      let fileSystem = MemoryFileSystem()
      fileSystem.add("a", contents: Array("text".utf8))
      try await TestMount.with(fileSystem) { mount in
        let result = try await mount.shell("mv $M/a $M/b && cat $M/b && ls $M && touch $M/c && mv -f $M/c $M/b")
        #expect(result.output == "textb\n")
        #expect(result.status == 0)
        #expect(fileSystem.recorded.renameOptions == [.noReplace, []])
        #expect(fileSystem.contents(of: "a") == nil)
      }
    }

    @Test func movesAcrossDirectoriesByCopyWhenTheFileSystemSaysSo() async throws {
      let fileSystem = MemoryFileSystem()
      fileSystem.add("a", contents: Array("text".utf8))
      let directory = fileSystem.add("d", kind: .directory)
      try await TestMount.with(fileSystem) { mount in
        let result = try await mount.shell("mv $M/a $M/d/a && ls $M $M/d")
        #expect(result.status == 0)
        #expect(fileSystem.calls("rename") >= 1)
        #expect(fileSystem.calls("copyRange") == 1)
        #expect(fileSystem.contents(of: "a") == nil)
        #expect(fileSystem.contents(of: "a", in: directory) == Array("text".utf8))
      }
    }

    @Test(arguments: ["plain", "direct"])
    func copiesWithinTheMountInOneRequestWithoutReading(name: String) async throws {
      let fileSystem = MemoryFileSystem()
      let contents = (0..<5_000_000).map { UInt8(truncatingIfNeeded: $0 / 251) }
      fileSystem.add(name, contents: contents)
      try await TestMount.with(fileSystem) { mount in
        let result = try await mount.shell("cp $M/\(name) $M/copy")
        #expect(result.status == 0)
        #expect(fileSystem.recorded.copies == [5_000_000])
        #expect(fileSystem.calls("read") == 0)
        #expect(fileSystem.calls("write") == 0)
        #expect(fileSystem.contents(of: "copy") == contents)
      }
    }

    @Test(arguments: [false, true])
    func mapsFilesReadOnly(answersLate: Bool) async throws {
      let fileSystem = MemoryFileSystem(answersLate: answersLate)
      fileSystem.add("mapped", contents: [UInt8](repeating: 7, count: 3_000_000) + [8])
      try await TestMount.with(fileSystem) { mount in
        let result = try await mount.shell(
          """
          python3 - $M/mapped <<'END'
          import mmap, sys
          with open(sys.argv[1], 'rb') as file:
              assert file.read(5) == b'\\x07' * 5
              for kind in (mmap.MAP_SHARED, mmap.MAP_PRIVATE):
                  with mmap.mmap(file.fileno(), 0, flags=kind, prot=mmap.PROT_READ) as view:
                      print(len(view), view[2_999_999], view[3_000_000])
          END
          """)
        #expect(result.output == "3000001 7 8\n3000001 7 8\n")
      }
    }

    @Test func anErrorOfWriteReachesEcho() async throws {
      let fileSystem = MemoryFileSystem()
      fileSystem.add("control", contents: Array("state\n".utf8))
      try await TestMount.with(fileSystem) { mount in
        let result = try await mount.shell("echo nonsense > $M/control; echo $?; cat $M/control")
        #expect(result.output == "bash: line 1: echo: write error: Invalid argument\n1\nstate\n")
      }
    }

    @Test func anErrorOfReadReachesTheReaderAndTheLog() async throws {
      let fileSystem = MemoryFileSystem()
      fileSystem.add("broken", contents: [1, 2, 3])
      let log = LogRecorder()
      try await TestMount.with(fileSystem, logger: log.logger) { mount in
        let result = try await mount.shell("cat $M/broken; ls $M/none")
        #expect(result.output.contains("broken: Input/output error\n"))
        #expect(result.output.contains("none': No such file or directory\n"))
      }
      #expect(log.lines.contains { $0.hasPrefix("error read: the store is down") })
      #expect(!log.lines.contains { $0.contains("lookup") })
    }

    @Test func refusesWhatIsNeitherFileNorDirectory() async throws {
      let fileSystem = MemoryFileSystem()
      fileSystem.add("file")
      try await TestMount.with(fileSystem) { mount in
        let result = try await mount.shell("cd $M; ln -s file s; ln file h; mkfifo p; fallocate -l 10 file; ls")
        let lines = result.output.split(separator: "\n")
        #expect(lines.count == 5)
        #expect(lines.prefix(3).allSatisfy { $0.hasSuffix("Operation not permitted") })
        #expect(lines[3].hasSuffix("Operation not supported"))
        #expect(lines[4] == "file")
      }
    }

    @Test func passesOnHowFilesAreOpened() async throws {
      let fileSystem = MemoryFileSystem()
      fileSystem.add("f")
      try await TestMount.with(fileSystem) { mount in
        let result = try await mount.shell(
          "cd $M; cat f; : > f; : >> f; : <> f; dd of=n conv=excl status=none < /dev/null; echo $?")
        #expect(result.output == "0\n")
        #expect(
          fileSystem.recorded.openOptions == [
            .read, [.write, .truncate], [.write, .append], [.read, .write], [.write, .exclusive],
          ])
        #expect(fileSystem.calls("setAttributes") == 0, "O_TRUNC is part of OPEN")
      }
    }

    @Test func syncsWhenAsked() async throws {
      let fileSystem = MemoryFileSystem()
      try await TestMount.with(fileSystem) { mount in
        let result = try await mount.shell("echo x | dd of=$M/f conv=fsync status=none && sync $M")
        #expect(result.status == 0)
        #expect(fileSystem.calls("synchronize") == 1)
      }
    }
  }
}
