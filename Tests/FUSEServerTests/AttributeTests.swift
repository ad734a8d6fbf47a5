// What stat, chmod, df and permission checks see.

import BackupFileSystem
import Glibc
import Testing

@testable import FUSEServer

extension Mounted {
  @Suite struct AttributeTests {
    @Test func statShowsEnoughBlocksAndOneTime() async throws {
      let fileSystem = MemoryFileSystem()
      let sizes = [0, 1, 511, 512, 513, 1_048_577]
      for size in sizes { fileSystem.add("f\(size)", contents: [UInt8](repeating: 1, count: size)) }
      fileSystem.add("d", kind: .directory)
      try await TestMount.with(fileSystem) { mount in
        let names = sizes.map { "f\($0)" }.joined(separator: " ")
        let files = try await mount.shell("cd $M; stat -c '%s %b %B %o %h %a %X %Y %Z' \(names)")
        let expected = zip(sizes, [0, 1, 1, 1, 2, 2049]).map {
          "\($0) \($1) 512 1048576 1 644 1600000000 1600000000 1600000000\n"
        }
        #expect(files.output == expected.joined())
        let directory = try await mount.shell("stat -c '%F %h %a %y' $M/d")
        #expect(directory.output == "directory 2 755 2020-09-13 12:26:40.123456789 +0000\n")
      }
    }

    @Test func changesOfModeOwnerAndTimeArrive() async throws {
      let fileSystem = MemoryFileSystem()
      fileSystem.add("f")
      try await TestMount.with(fileSystem) { mount in
        let result = try await mount.shell(
          """
          set -e; cd $M; chmod 4751 f; chown 12:34 f; touch -d '2001-02-03 04:05:06.789 UTC' f
          stat -c '%a %u %g %.3Y' f
          touch -a -d '1999-01-01' f; stat -c '%.3Y' f; touch f; test $(stat -c %Y f) -gt 1700000000
          """)
        #expect(result.output == "751 12 34 981173106.789\n981173106.789\n")
        #expect(result.status == 0)
      }
    }

    @Test func theUmaskIsTakenFromNewFilesAndDirectories() async throws {
      try await TestMount.with(MemoryFileSystem()) { mount in
        let result = try await mount.shell("cd $M; umask 027; touch f; mkdir d; stat -c %a f d")
        #expect(result.output == "640\n750\n")
      }
    }

    @Test func theKernelChecksPermissionsOfOtherUsers() async throws {
      let fileSystem = MemoryFileSystem()
      fileSystem.add("f", contents: Array("secret".utf8))
      try await TestMount.with(fileSystem, allowOther: true) { mount in
        let result = try await mount.shell(
          """
          chmod 755 $M; nobody="setpriv --reuid=65534 --regid=65534 --clear-groups"
          $nobody cat $M/f; echo; chmod 600 $M/f; $nobody cat $M/f; $nobody touch $M/g
          """)
        #expect(
          result.output == """
            secret
            cat: \(mount.path)/f: Permission denied
            touch: cannot touch '\(mount.path)/g': Permission denied

            """)
        #expect(fileSystem.calls("create") == 0)
      }
    }

    @Test func otherUsersAreKeptOutUnlessAllowed() async throws {
      try await TestMount.with(MemoryFileSystem()) { mount in
        let result = try await mount.shell("setpriv --reuid=65534 --regid=65534 --clear-groups ls $M")
        #expect(result.output.contains("Permission denied"))
      }
    }

    @Test func aReadOnlyMountIsNotWrittenTo() async throws {
      let fileSystem = MemoryFileSystem()
      fileSystem.add("f", contents: Array("text".utf8))
      try await TestMount.with(fileSystem, readOnly: true) { mount in
        let result = try await mount.shell("cat $M/f; echo; touch $M/g; echo x > $M/f; rm $M/f")
        #expect(result.output.hasPrefix("text\n"))
        #expect(result.output.split(separator: "\n").dropFirst().allSatisfy { $0.contains("Read-only file system") })
        #expect(result.output.split(separator: "\n").count == 4)
        #expect(fileSystem.contents(of: "f") == Array("text".utf8))
      }
    }

    @Test func dfShowsTheFigures() async throws {
      try await TestMount.with(MemoryFileSystem()) { mount in
        let figures = try await mount.shell(
          "df -B4096 --output=source,fstype,size,avail,itotal $M | tail -1 | tr -s ' '")
        #expect(figures.output == "milvus-backupfs fuse.milvus-backupfs 1073741824 536870912 1048576\n")
        let name = try await mount.shell("stat -f -c %l $M")
        #expect(name.output == "255\n")
      }
    }

    @Test func flagsBecomeOptions() {
      #expect(OpenOptions(openFlags: O_RDONLY) == .read)
      #expect(OpenOptions(openFlags: O_WRONLY | O_TRUNC | O_APPEND) == [.write, .truncate, .append])
      #expect(OpenOptions(openFlags: O_RDWR | O_EXCL | O_CREAT) == [.read, .write, .exclusive])
      #expect(RenameOptions(renameFlags: 0) == [])
      #expect(RenameOptions(renameFlags: 1) == .noReplace)
      #expect(RenameOptions(renameFlags: 2) == .exchange)
      #expect(RenameOptions(renameFlags: 4) == nil, "RENAME_WHITEOUT is not ours")
    }
  }
}
