// Mount points that are not fit to be mounted on, and what the error says about them.

import BackupFileSystem
import FUSEServer
import Foundation
import Testing

extension Mounted {
  @Suite struct MountPointTests {
    @Test func aMissingOneIsToBeMade() throws {
      try expect(.missing, at: "/tmp/there-is-no-such-place", "mkdir -p /tmp/there-is-no-such-place")
    }

    @Test func aFileIsNoMountPoint() throws {
      let directory = try temporaryDirectory()
      defer { try? FileManager.default.removeItem(atPath: directory) }
      try Data().write(to: URL(fileURLWithPath: directory + "/file"))
      try expect(.notDirectory, at: directory + "/file", "is not a directory")
      try expect(.notDirectory, at: directory + "/file/below", "is not a directory")
    }

    @Test func whatIsInADirectoryIsNotHidden() throws {
      let directory = try temporaryDirectory()
      defer { try? FileManager.default.removeItem(atPath: directory) }
      try Data().write(to: URL(fileURLWithPath: directory + "/precious"))
      try expect(.notEmpty, at: directory, "it holds precious")
    }

    @Test func twoMountsDoNotCoverEachOther() async throws {
      try await TestMount.with(MemoryFileSystem()) { mount in
        try expect(.alreadyMounted, at: mount.path, "milvus-backupfs, type fuse.milvus-backupfs")
        try expect(.alreadyMounted, at: mount.path + "/.", "fusermount3 -u \(mount.path)")
      }
      let directory = try temporaryDirectory() + "/with blank"
      let result = try await shell("mkdir \"$M\" && mount -t tmpfs other \"$M\"", in: directory)
      try #require(result.status == 0)
      try expect(.alreadyMounted, at: directory, "other, type tmpfs")
      _ = try await shell("umount \"$M\" && rmdir \"$M\" && rmdir \"${M%/*}\"", in: directory)
    }

    @Test func theMountOfADeadServerIsExplained() async throws {
      let directory = try temporaryDirectory()
      let result = try await shell(
        """
        python3 - $M <<'END'
        import ctypes, os, sys
        device = os.open('/dev/fuse', os.O_RDWR)
        options = f'fd={device},rootmode=40000,user_id=0,group_id=0'.encode()
        sys.exit(ctypes.CDLL(None).mount(b'dead', sys.argv[1].encode(), b'fuse', 0, options))
        END
        """, in: directory)
      try #require(result.status == 0)
      try expect(.stale, at: directory, "fusermount3 -u \(directory)")
      // The remedy works.
      let remedy = try await shell("fusermount3 -u $M", in: directory)
      #expect(remedy.status == 0)
      let server = FUSEServer(MemoryFileSystem(), options: MountOptions(mountPoint: directory), logger: .silent)
      try server.mount()
      try server.unmount()
      try await server.run()
      try FileManager.default.removeItem(atPath: directory)
    }

    @Test func oddNamesOfTheFileSystemAreTakenAsTheyAre() async throws {
      let directory = try temporaryDirectory()
      let options = MountOptions(mountPoint: directory, fileSystemName: "a,ro,b\\c d", subtype: "x,y")
      let server = FUSEServer(MemoryFileSystem(), options: options, logger: .silent)
      try server.mount()
      let mounts = try await shell("grep -F \" $M \" /proc/mounts | cut -d' ' -f1,3,4", in: directory)
      #expect(mounts.output.hasPrefix("a,ro,b\\134c\\040d fuse.x,y rw,"))
      try server.unmount()
      try await server.run()
      try FileManager.default.removeItem(atPath: directory)
    }

    @Test func libfuseTellsWhatItDoesWhenDebugged() async throws {
      let directory = try temporaryDirectory()
      let log = LogRecorder()
      let server = FUSEServer(
        MemoryFileSystem(), options: MountOptions(mountPoint: directory, debug: true), logger: log.logger)
      try server.mount()
      let running = Task { try await server.run() }
      _ = try await shell("ls $M", in: directory)
      try server.unmount()
      try await running.value
      #expect(log.lines.contains { $0.hasPrefix("debug libfuse: unique: ") && $0.contains("opcode: OPENDIR") })
      try FileManager.default.removeItem(atPath: directory)
    }

    private func expect(_ reason: MountError.Reason, at path: String, _ words: String) throws {
      let server = FUSEServer(MemoryFileSystem(), options: MountOptions(mountPoint: path), logger: .silent)
      let error = try #require(throws: MountError.self) { try server.mount() }
      #expect(error.reason == reason)
      #expect(error.mountPoint == path)
      #expect(error.description.contains(words), "\(error.description)")
      #expect(error.description.contains(path))
    }
  }
}
