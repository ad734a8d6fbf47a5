// Ends of a session: by whom, when, and what becomes of what is under way.

import BackupFileSystem
import FUSEServer
import Foundation
import Testing

extension Mounted {
  @Suite struct UnmountTests {
    @Test func aMountInUseIsNotUnmountedWhenIdle() async throws {
      let fileSystem = MemoryFileSystem()
      fileSystem.add("f", contents: Array("text".utf8))
      try await TestMount.with(fileSystem) { mount in
        let holder = try mount.start("exec sleep 100 < $M/f")
        try await eventually { fileSystem.calls("open") == 1 }
        let error = #expect(throws: MountError.self) { try mount.server.unmount() }
        #expect(error?.reason == .busy)
        #expect(error?.description.contains("\(mount.path) is in use") == true)
        #expect(try await mount.shell("cat $M/f").output == "text")
        kill(holder.processIdentifier, SIGKILL)
        _ = await holder.result
        try mount.server.unmount()
        try await mount.running.value
        #expect(try await mount.shell("ls $M").output == "")
        try mount.server.unmount()
      }
    }

    @Test func unmountingFromOutsideEndsTheSession() async throws {
      try await TestMount.with(MemoryFileSystem()) { mount in
        let result = try await mount.shell("touch $M/f && fusermount3 -u $M")
        #expect(result.status == 0)
        try await mount.running.value
      }
    }

    @Test func unmountingNowCutsOffWhatHangs() async throws {
      let fileSystem = MemoryFileSystem()
      for name in ["hang", "hang-direct", "stubborn-direct"] { fileSystem.add(name, contents: [1]) }
      fileSystem.add("idle")
      try await TestMount.with(fileSystem, gracePeriod: .milliseconds(200)) { mount in
        let reader = try mount.start(
          "exec 5< $M/idle 6< $M; cat $M/hang & cat $M/hang-direct & cat $M/stubborn-direct & wait; cat <&5; exit 7")
        try await eventually { fileSystem.calls("read") >= 3 && fileSystem.openHandles == 5 }
        try mount.server.unmount(.now)
        let remaining = try await shell("grep -c \(mount.path) /proc/mounts")
        #expect(remaining.output == "0\n")
        try await mount.running.value
        let result = await reader.result
        #expect(result.status == 7)
        // EIO for what was cut off, and an error for what is asked later.
        #expect(result.output.components(separatedBy: "Input/output error").count == 4, "\(result.output)")
        #expect(
          result.output.hasSuffix("Transport endpoint is not connected\n") || result.output.hasSuffix("aborted\n"))
        #expect(fileSystem.recorded.cancelled >= 2)
        #expect(fileSystem.openHandles == 0)
      }
    }

    @Test func unmountingNowLetsWhatRunsFinish() async throws {
      let fileSystem = MemoryFileSystem()
      fileSystem.add("stubborn", contents: [UInt8](repeating: 65, count: 300_000))
      try await TestMount.with(fileSystem, gracePeriod: .seconds(100)) { mount in
        let reader = try mount.start("cat $M/stubborn | md5sum")
        try await eventually { fileSystem.calls("read") > 0 }
        try mount.server.unmount(.now)
        fileSystem.letGo()
        try await mount.running.value
        let expected = try await shell("head -c 300000 /dev/zero | tr '\\0' A | md5sum")
        #expect(await reader.result.output == expected.output)
      }
    }

    @Test func theSessionEndsAfterTheLastRelease() async throws {
      let fileSystem = MemoryFileSystem()
      try await TestMount.with(fileSystem) { mount in
        _ = try await mount.shell("echo text > $M/lingering")
        try mount.server.unmount()
        let isDone = Task {
          try await mount.running.value
          return fileSystem.recorded
        }
        // Enough for a server that does not wait to show it.
        try await Task.sleep(for: .milliseconds(100))
        #expect(fileSystem.recorded.releasesEnded == 0)
        fileSystem.letGo()
        #expect(try await isDone.value.releasesEnded == 1)
        #expect(try await isDone.value.releasesCancelled == 0)
      }
    }

    /// A file so large that the kernel reads it ahead: for that it needs requests in the background, as for releases.
    @Test func releasesThatTakeLongStopNobody() async throws {
      let fileSystem = MemoryFileSystem()
      fileSystem.add("large", contents: [UInt8](repeating: 65, count: 30_000_000))
      try await TestMount.with(fileSystem) { mount in
        let result = try await mount.shell(
          "for i in {1..100}; do : > $M/lingering-$i; done; timeout 20 cat $M/large | tr -d A | wc -c; echo ${PIPESTATUS[0]}"
        )
        #expect(result.output == "0\n0\n")
        #expect(fileSystem.recorded.releasesEnded == 0)
      }
    }

    @Test func cancellingTheTaskUnmounts() async throws {
      let fileSystem = MemoryFileSystem()
      try await TestMount.with(fileSystem) { mount in
        _ = try await mount.shell("touch $M/f")
        mount.running.cancel()
        try await mount.running.value
        #expect(try await shell("grep -c \(mount.path) /proc/mounts").output == "0\n")
      }
    }

    @Test func aBrokenConnectionEndsTheSessionAndLeavesNoDeadMount() async throws {
      try await TestMount.with(MemoryFileSystem()) { mount in
        let result = try await mount.shell(
          """
          set -e; control=$(mktemp -d); mount -t fusectl none $control; trap 'umount $control; rmdir $control' EXIT
          number=$(stat -c %d $M); echo 1 > $control/$number/abort
          """)
        #expect(result.status == 0, "\(result.output)")
        try await mount.running.value
        #expect(try await mount.shell("stat -c %F $M").output == "directory\n")
        #expect(try await shell("grep -c \(mount.path) /proc/mounts").output == "0\n")
      }
    }

    @Test func whatSomebodyElseMountedIsLeftAlone() async throws {
      try await TestMount.with(MemoryFileSystem()) { mount in
        _ = try await mount.shell("mount -t tmpfs other $M")
        let error = #expect(throws: MountError.self) { try mount.server.unmount(.now) }
        #expect(error?.reason == .covered)
        _ = try await mount.shell("umount $M; umount $M; mount -t tmpfs other $M; touch $M/f")
        try await mount.running.value
        try mount.server.unmount(.now)
        #expect(try await mount.shell("ls $M; umount $M").output == "f\n")
      }
    }

    /// The kernel gives the device number of a file system that is gone to the next one.
    @Test func aNewMountWithTheNumberOfOursIsLeftAlone() async throws {
      let fileSystem = MemoryFileSystem()
      try await TestMount.with(fileSystem) { mount in
        // The release keeps the server from ending.
        let result = try await mount.shell(
          """
          touch $M/lingering; number=$(stat -c %d $M); umount $M; work=$(mktemp -d); status=1
          for i in {1..200}; do
            mkdir $work/$i; mount -t tmpfs other $work/$i
            if test $(stat -c %d $work/$i) = $number; then mount --bind $work/$i $M; status=0; break; fi
          done
          for j in $(seq $i); do umount $work/$j; rmdir $work/$j; done; rmdir $work; touch $M/f; exit $status
          """)
        try #require(result.status == 0, "\(result.output)")
        try mount.server.unmount(.now)
        fileSystem.letGo()
        try await mount.running.value
        #expect(try await mount.shell("ls $M; umount $M").output == "f\n")
      }
    }

    @Test func sessionsInOneProcessDoNotMeet() async throws {
      let first = MemoryFileSystem()
      let second = MemoryFileSystem()
      try await TestMount.with(first) { one in
        try await TestMount.with(second) { two in
          _ = try await shell("echo 1 > \(one.path)/f; echo 2 > \(two.path)/f; cp \(one.path)/f \(two.path)/g")
          try one.server.unmount()
          try await one.running.value
          #expect(try await two.shell("cat $M/f $M/g").output == "2\n1\n")
        }
      }
      #expect(first.contents(of: "f") == Array("1\n".utf8))
      #expect(second.contents(of: "g") == Array("1\n".utf8))
    }

    @Test func callsOutOfOrderAreRefused() async throws {
      let path = try temporaryDirectory()
      let server = FUSEServer(MemoryFileSystem(), options: MountOptions(mountPoint: path), logger: .silent)
      #expect(throws: MountError.self) { try server.unmount() }
      await #expect(throws: MountError.self) { try await server.run() }
      try server.mount()
      let error = #expect(throws: MountError.self) { try server.mount() }
      #expect(error?.reason == .wrongState)
      try server.unmount()
      try await server.run()
      await #expect(throws: MountError.self) { try await server.run() }
      try FileManager.default.removeItem(atPath: path)
    }

    @Test func aServerThatIsDroppedUnmounts() async throws {
      let path = try temporaryDirectory()
      var server: FUSEServer? = FUSEServer(
        MemoryFileSystem(), options: MountOptions(mountPoint: path), logger: .silent)
      try server?.mount()
      #expect(try await shell("grep -c \(path) /proc/mounts").output == "1\n")
      server = nil
      #expect(try await shell("grep -c \(path) /proc/mounts").output == "0\n")
      try FileManager.default.removeItem(atPath: path)
    }
  }
}
