// Programs that wait for an answer can be stopped, and do not stop others.

import BackupFileSystem
import FUSEServer
import Glibc
import Testing

extension Mounted {
  @Suite struct InterruptTests {
    @Test(arguments: [SIGINT, SIGTERM, SIGKILL])
    func aSignalEndsAProgramAndTheWorkForIt(signal: Int32) async throws {
      let fileSystem = MemoryFileSystem()
      fileSystem.add("hang-direct", contents: [1, 2, 3])
      try await TestMount.with(fileSystem) { mount in
        let reader = try mount.start("exec cat $M/hang-direct")
        try await eventually { fileSystem.calls("read") > 0 }
        #expect(fileSystem.recorded.cancelled == 0)
        kill(reader.processIdentifier, signal)
        #expect(await reader.result.status == 128 + signal)
        try await eventually { fileSystem.calls("release") == 1 }
        #expect(fileSystem.recorded.cancelled == 1)
      }
    }

    /// Reading ahead into the page cache is not the program's own request: no signal interrupts it, unmounting ends it.
    @Test(arguments: [SIGINT, SIGKILL])
    func aSignalEndsAProgramThatWaitsForThePageCache(signal: Int32) async throws {
      let fileSystem = MemoryFileSystem()
      fileSystem.add("hang", contents: [1, 2, 3])
      try await TestMount.with(fileSystem, gracePeriod: .seconds(1000)) { mount in
        let reader = try mount.start("exec cat $M/hang")
        try await eventually { fileSystem.calls("read") > 0 }
        kill(reader.processIdentifier, signal)
        #expect(await reader.result.status == 128 + signal)
        try mount.server.unmount()
        try await mount.running.value
        #expect(fileSystem.recorded.cancelled == fileSystem.calls("read"))
      }
    }

    @Test func timeoutStopsAProgram() async throws {
      let fileSystem = MemoryFileSystem()
      fileSystem.add("hang-direct", contents: [1])
      try await TestMount.with(fileSystem) { mount in
        let result = try await mount.shell("timeout -s INT 0.2 cat $M/hang-direct; echo $?")
        #expect(result.output == "124\n")
      }
    }

    /// Go's runtime preempts its threads by SIGURG.
    @Test(arguments: [SIGURG, SIGCHLD, SIGWINCH])
    func aSignalThatDoesNotAskToStopInterruptsNothingAndALaterOneStillDoes(signal: Int32) async throws {
      let fileSystem = MemoryFileSystem()
      fileSystem.add("hang-direct", contents: [1])
      try await TestMount.with(fileSystem) { mount in
        let reader = try mount.start(
          """
          exec python3 - $M/hang-direct <<'END'
          import os, signal, sys
          for number in (signal.SIGURG, signal.SIGCHLD, signal.SIGWINCH): signal.signal(number, lambda *_: None)
          os.read(os.open(sys.argv[1], os.O_RDONLY), 10)
          END
          """)
        try await eventually { fileSystem.calls("read") > 0 }
        for _ in 0..<3 {
          kill(reader.processIdentifier, signal)
          try await Task.sleep(for: .milliseconds(150))
        }
        #expect(fileSystem.recorded.cancelled == 0)
        #expect(fileSystem.calls("read") == 1)
        kill(reader.processIdentifier, SIGKILL)
        #expect(await reader.result.status == 128 + SIGKILL)
        try await eventually { fileSystem.recorded.cancelled == 1 }
      }
    }

    @Test func aProgramThatCatchesTheSignalHearsOfTheInterruption() async throws {
      let fileSystem = MemoryFileSystem()
      fileSystem.add("hang-direct", contents: [1])
      try await TestMount.with(fileSystem) { mount in
        let reader = try mount.start(
          """
          exec python3 - $M/hang-direct <<'END'
          import ctypes, os, signal, sys
          libc = ctypes.CDLL(None, use_errno=True)
          signal.signal(signal.SIGUSR1, lambda *_: None)
          descriptor = os.open(sys.argv[1], os.O_RDONLY)
          count = libc.read(descriptor, ctypes.create_string_buffer(10), 10)
          print(count, os.strerror(ctypes.get_errno()))
          END
          """)
        try await eventually { fileSystem.calls("read") > 0 }
        kill(reader.processIdentifier, SIGUSR1)
        #expect(await reader.result.output == "-1 Interrupted system call\n")
      }
    }

    @Test func othersAreAnsweredWhileReadsHang() async throws {
      let fileSystem = MemoryFileSystem()
      for index in 0..<64 { fileSystem.add("hang-direct-\(index)", contents: [1]) }
      fileSystem.add("other", contents: Array("text".utf8))
      try await TestMount.with(fileSystem) { mount in
        let readers = try mount.start("for i in {0..63}; do cat $M/hang-direct-$i & done; wait")
        try await eventually { fileSystem.calls("read") >= 64 }
        let result = try await mount.shell(
          "stat -c %s $M/other; ls $M | wc -l; cat $M/other; echo new > $M/new; cat $M/new")
        #expect(result.output == "4\n65\ntextnew\n")
        _ = try await shell("pkill -P \(readers.processIdentifier)")
        _ = await readers.result
        try await eventually { fileSystem.openHandles == 0 }
        #expect(fileSystem.recorded.cancelled == 64)
      }
    }

    /// Interrupts at every moment of a request's life: before it is taken, while it is worked on, while it is answered.
    @Test func interruptsAtAnyMomentDoNoHarm() async throws {
      let fileSystem = MemoryFileSystem(answersLate: true, timeToLive: 0)
      fileSystem.add("direct", contents: (0..<8192).map { UInt8(truncatingIfNeeded: $0 >> 5) })
      try await TestMount.with(fileSystem, threads: 4) { mount in
        let result = try await mount.shell(
          """
          for i in 1 2 3; do python3 - $M/direct <<'END' &
          import os, signal, sys
          signal.signal(signal.SIGALRM, lambda *_: None)
          signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.00007)
          for _ in range(1000):
              descriptor = os.open(sys.argv[1], os.O_RDONLY)
              assert os.pread(descriptor, 4096, 4096) == bytes((i >> 5) & 255 for i in range(4096, 8192))
              os.close(descriptor)
          signal.setitimer(signal.ITIMER_REAL, 0)
          END
          readers="$readers $!"; done
          for reader in $readers; do wait $reader || exit; done
          """)
        #expect(result.status == 0, "\(result.output)")
        #expect(fileSystem.calls("read") >= 3000)
      }
    }
  }

  @Suite struct KilledWriterTests {
    static let open =
      "import os,signal,sys,threading,time; f=os.open(sys.argv[1],os.O_WRONLY|os.O_CREAT); os.write(f,b'x');"
    static let threads = "[threading.Thread(target=time.sleep,args=(100,),daemon=True).start() for _ in range(8)];"

    @Test(arguments: [
      "os.kill(os.getpid(),9)", "os.kill(os.getpid(),15)", "signal.signal(11,0);os.kill(os.getpid(),11)",
    ])
    func aWriterThatIsKilledIsReported(end: String) async throws {
      try await expectFlush(Self.open + end, writerWasKilled: true)
    }

    @Test func aWriterWithThreadsThatIsKilledIsReported() async throws {
      try await expectFlush(Self.open + Self.threads + "os.kill(os.getpid(),9)", writerWasKilled: true)
    }

    @Test(arguments: ["os.close(f)", "os._exit(0)", "os._exit(1)"])
    func aWriterThatClosesOrExitsIsNot(end: String) async throws {
      try await expectFlush(Self.open + end, writerWasKilled: false)
    }

    /// The kernel ends the other threads by a signal, and one of them may be the last to let go of the file.
    @Test(arguments: 1...5)
    func aWriterWithThreadsThatExitsIsNot(attempt: Int) async throws {
      try await expectFlush(Self.open + Self.threads + "os._exit(0)", writerWasKilled: false)
    }

    @Test func aReaderThatIsKilledIsNot() async throws {
      let fileSystem = MemoryFileSystem()
      fileSystem.add("f")
      try await TestMount.with(fileSystem) { mount in
        _ = try await mount.shell("python3 -c 'import os; f=os.open(\"'$M'/f\",os.O_RDONLY); os.kill(os.getpid(),9)'")
        try await eventually { fileSystem.calls("release") == 1 }
        #expect(fileSystem.recorded.flushes == [.init(name: "f", writerWasKilled: false)])
      }
    }

    private func expectFlush(_ program: String, writerWasKilled: Bool) async throws {
      let fileSystem = MemoryFileSystem()
      try await TestMount.with(fileSystem) { mount in
        _ = try await mount.shell("python3 -c \"\(program)\" $M/f")
        try await eventually { fileSystem.calls("release") == 1 }
        #expect(fileSystem.recorded.flushes == [.init(name: "f", writerWasKilled: writerWasKilled)])
      }
    }
  }
}
