import Foundation
import Testing

extension EndToEnd.Files {
  /// The daemon, the copier or the store goes away or stops at any moment. MILVUS_BACKUPFS_CRASH_ROUNDS makes it longer.
  @Suite(.serialized) struct Crashes {
    static let rounds =
      ProcessInfo.processInfo.environment["MILVUS_BACKUPFS_CRASH_ROUNDS"].flatMap { Int($0) } ?? 6

    /// Programs that a test runs may inherit signals that are ignored or blocked.
    private static let asFromATerminal = """
      "$PYTHON" -c 'import os, signal, sys
      for number in (signal.SIGINT, signal.SIGTERM): signal.signal(number, signal.SIG_DFL)
      signal.pthread_sigmask(signal.SIG_SETMASK, [])
      os.execvp(sys.argv[1], sys.argv[1:])'
      """

    private func eventually(_ condition: () async throws -> Bool) async throws -> Bool {
      for _ in 0..<60 {
        if try await condition() { return true }
        try await Task.sleep(for: .milliseconds(250))
      }
      return false
    }

    @Test func aDaemonThatIsKilledLeavesNothingHalfAndTheNextOneFinishes() async throws {
      for name in ["A", "B"] { try await Oracle.remove(name, "backup/crash/") }
      try await Oracle.put("A", "backup/crash/", count: 80, size: 200_000)
      try await Oracle.put("A", "backup/crash/large/", count: 1, size: 30 << 20)
      let source = try await Oracle.objects("A", "backup/crash/")
      try await Workplace.with { place in
        for round in 0..<Self.rounds {
          let copy = try Running(
            "exec cp -r '\(place.mount)/milvus_A/crash' '\(place.mount)/milvus_B/'", environment: [:])
          let moment = Int.random(in: 0..<1500)
          try await Task.sleep(for: .milliseconds(moment))
          try await place.killDaemon()
          _ = try await copy.wait(limit: 20)
          for (key, contents) in try await Oracle.objects("B", "backup/crash/") {
            #expect(source[key] == contents, "round \(round), after \(moment) ms: \(key) is not whole")
          }
          try await place.remount("--replace")
          // Nothing is left that cp had not asked for, no upload, no journal.
          #expect(try await eventually { try await Oracle.uploads("B", "backup/crash/") == 0 }, "after \(moment) ms")
          let journals = try await run("find '\(place.state)' -name 'ahead-*' | wc -l")
          #expect(journals == "0")
          try await run("cp -r '\(place.mount)/milvus_A/crash' '\(place.mount)/milvus_B/'")
          #expect(try await Oracle.objects("B", "backup/crash/") == source, "round \(round), after \(moment) ms")
          try await run("rm -r '\(place.mount)/milvus_B/crash'")
        }
      }
      try await Oracle.remove("A", "backup/crash/")
    }

    @Test func aStoreThatStallsHoldsNobodyUpWhoIsToldToStop() async throws {
      try await Oracle.remove("B", "backup/stall/")
      try await Oracle.put("B", "backup/stall/", count: 3, size: 100_000)
      let store = try Testbed.instance("B").store
      let port = try #require(store.endpoint.split(separator: ":").last)
      let proxy = try #require(ProcessInfo.processInfo.environment["MILVUS_BACKUPFS_FAULT_PROXY"])
      let folder = FileManager.default.temporaryDirectory.appending(path: "stall-\(UUID().uuidString)").path
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      let running = try Running(
        "exec '\(proxy)' --to 127.0.0.1:\(port) --control 127.0.0.1:0 > '\(folder)/ports'", environment: [:])
      #expect(try await eventually { try await shell("test -s '\(folder)/ports'").succeeded })
      let listen = try await run("jq .port '\(folder)/ports'")
      let control = try await run("jq .control '\(folder)/ports'")
      try await Workplace.with(edits: ["B": [("port: \(port)", "port: \(listen)")]]) { place in
        let stall = "\(place.mount)/milvus_B/stall"
        let file = try await run("find '\(stall)' -type f | head -n 1")
        try await run(
          "curl -sf -X PUT --data '[{\"match\": {\"operation\": \"GetObject\"}, \"fault\": {\"stall\": {}}}]'"
            + " http://127.0.0.1:\(control)/rules")
        for (signal, tool) in [("INT", "cat"), ("KILL", "cat"), ("TERM", "md5sum"), ("KILL", "cp")] {
          let target = tool == "cp" ? "'\(place.mount)/milvus_A/copied'" : ""
          let started = ContinuousClock.now
          let outcome = try await shell(
            "\(Self.asFromATerminal) timeout --foreground -s \(signal) 1 \(tool) '\(file)' \(target) > /dev/null")
          #expect(!outcome.succeeded)
          #expect(ContinuousClock.now - started < .seconds(4), "\(tool) was held up after SIG\(signal)")
        }
        // Names and attributes do not wait behind data, and unmounting is possible.
        let held = try Running("exec cat '\(file)' > /dev/null", environment: [:])
        let look = try await shell("ls -l '\(stall)' && stat '\(file)' > /dev/null && df '\(stall)' > /dev/null")
        #expect(look.succeeded && look.seconds < 3, "\(look.output)")
        kill(held.identifier, SIGKILL)
        _ = try await held.wait(limit: 5)
        #expect(!held.isRunning)
        try await run("curl -sf -X PUT --data '[]' http://127.0.0.1:\(control)/rules")
        #expect(try await run("cat '\(file)' | wc -c") == "100000")
        #expect(!(try await shell("test -e '\(place.mount)/milvus_A/copied'")).succeeded)
      }
      kill(running.identifier, SIGTERM)
      _ = try await running.wait(limit: 10)
      try await Oracle.remove("B", "backup/stall/")
      try? FileManager.default.removeItem(atPath: folder)
    }

    @Test func namesAreAnsweredWhileLargeCopiesRun() async throws {
      for name in ["A", "B"] { try await Oracle.remove(name, "backup/busy/") }
      try await Oracle.put("A", "backup/busy/", count: 32, size: 12 << 20)
      try await Workplace.with { place in
        try await run("mkdir '\(place.mount)/milvus_B/busy'")
        let copies = try Running(
          "find '\(place.mount)/milvus_A/busy' -type f -size +1M | nl | { while read -r n f; do "
            + "cp \"$f\" '\(place.mount)/milvus_B/busy/'$n & done; wait; }", environment: [:])
        let text = try await run(
          "\"$PYTHON\" '\(Testbed.project)/Tests/EndToEndTests/Oracle/looks.py' '\(place.mount)' \(copies.identifier)",
          limit: 240)
        #expect(try await copies.wait(limit: 120).succeeded)
        print("looks while 32 copies ran: \(text)")
        let times = text.split(separator: " ").compactMap { Double($0) }
        #expect(times.count == 4 && times[0] >= 50, "looks, the median, the 80th percentile and the slowest: \(text)")
        // Those that find a listing too old wait for the store, which has 32 copies to serve; the others for nothing.
        #expect(times[1] < 0.05 && times[2] < 1)
        let sizes = try await Oracle.objects("B", "backup/busy/").values.map { $0.split(separator: ":")[0] }
        #expect(sizes == Array(repeating: "\(12 << 20)", count: 32))
        try await run("rm -r '\(place.mount)/milvus_B/busy'")
      }
      try await Oracle.remove("A", "backup/busy/")
    }

    @Test func whatIsBeingClosedIsFinishedWhenTheDaemonIsAskedToEnd() async throws {
      try await Oracle.remove("B", "backup/ending/")
      try await Workplace.with { place in
        let folder = "\(place.mount)/milvus_B/ending"
        try await run("mkdir '\(folder)' && head -c 20000000 /dev/urandom > '\(place.folder)/f'")
        let copy = try Running("exec cp '\(place.folder)/f' '\(folder)/f'", environment: [:])
        try await Task.sleep(for: .milliseconds(150))
        try await run("pkill -TERM -f -- '\(place.mount) [-]-foreground'")
        let outcome = try await copy.wait(limit: 30)
        let stored = try await Oracle.objects("B", "backup/ending/")
        // Whole or not at all, and cp knows which.
        #expect(stored.count == (outcome.succeeded ? 1 : 0), "\(outcome.output) \(stored)")
        #expect(try await eventually { !(try await shell("mountpoint -q '\(place.mount)'")).succeeded })
        #expect(try await eventually { try await Oracle.uploads("B", "backup/ending/") == 0 })
      }
      try await Oracle.remove("B", "backup/ending/")
    }
  }

  /// Mounting as mount(8), systemd and other users see it.
  @Suite(.serialized) struct People {
    @Test func optionsOfMountAreFollowed() async throws {
      try await Workplace.with(options: "-o uid=1234,gid=4321,umask=027,_netdev,nofail") { place in
        #expect(try await run("stat -c '%u %g %a' '\(place.mount)/milvus_A'") == "1234 4321 750")
        let other = try await shell("setpriv --reuid=65534 --clear-groups ls '\(place.mount)'")
        #expect(!other.succeeded, "without allow_other nobody else sees anything")
      }
      try await Workplace.with(options: "-o ro,allow_other") { place in
        #expect(try await run("setpriv --reuid=65534 --clear-groups ls '\(place.mount)'") == "milvus_A\nmilvus_B")
        let write = try await shell("echo x > '\(place.mount)/milvus_A/x'")
        #expect(!write.succeeded && write.output.contains("Read-only"), "\(write.output)")
      }
      try await Workplace.with(options: "--read-only-store milvus_A") { place in
        #expect(!(try await shell("mkdir '\(place.mount)/milvus_A/x'")).succeeded)
        try await run("mkdir '\(place.mount)/milvus_B/x' && rmdir '\(place.mount)/milvus_B/x'")
      }
    }

    @Test func anyUserMountsForHimselfAlone() async throws {
      try await Workplace.with(mounted: false) { place in
        try await Oracle.remove("A", "backup/of_nobody/")
        // Distributions let every user open it; here it may be kept from them.
        let mode = try await run("stat -c %a /dev/fuse")
        let result: Result<Void, any Error>
        do {
          try await run(
            """
            chmod 666 /dev/fuse
            cp "$BACKUPFS" '\(place.folder)/program'
            chown -R 65534:65534 '\(place.configs)' '\(place.mount)' '\(place.state)'
            """)
          let user =
            "env -i PATH=\"$PATH\" XDG_STATE_HOME='\(place.state)' setpriv --reuid=65534 --regid=65534 --clear-groups"
          let program = "\(user) '\(place.folder)/program'"
          try await run("\(program) mount '\(place.configs)' '\(place.mount)' --log '\(place.state)/log'")
          try await run(
            """
            \(user) mkdir '\(place.mount)/milvus_A/of_nobody'
            \(user) sh -c "head -c 300000 /dev/zero > '\(place.mount)/milvus_A/of_nobody/f'"
            test "$(\(user) stat -c '%s %u' '\(place.mount)/milvus_A/of_nobody/f')" = '300000 65534'
            """)
          #expect(try await Oracle.objects("A", "backup/of_nobody/").keys.sorted() == ["f"])
          let root = try await shell("ls '\(place.mount)'")
          #expect(!root.succeeded && root.output.contains("Permission denied"), "\(root.output)")
          let open = try await shell(
            "mkdir '\(place.state)/other' && chown 65534 '\(place.state)/other' && \(program) mount -o allow_other '\(place.configs)' '\(place.state)/other'"
          )
          #expect(open.status == 1 && open.output.contains("user_allow_other"), "\(open.output)")
          try await run("\(program) umount '\(place.mount)'")
          #expect(!(try await shell("mountpoint -q '\(place.mount)'")).succeeded)
          result = .success(())
        } catch {
          result = .failure(error)
        }
        try await run("chmod \(mode) /dev/fuse")
        try result.get()
      }
    }

    @Test func mountRunsTheProgramAsItsHelper() async throws {
      try await Workplace.with(mounted: false) { place in
        try await run("ln -s \"$BACKUPFS\" '\(place.folder)/mount.milvus-backupfs'")
        try await run(
          "'\(place.folder)/mount.milvus-backupfs' '\(place.configs)' '\(place.mount)' -o rw,_netdev,log='\(place.log)'",
          environment: ["XDG_STATE_HOME": place.state])
        #expect(try await run("ls '\(place.mount)'") == "milvus_A\nmilvus_B")
      }
    }

    @Test func systemdIsToldWhenTheMountAnswers() async throws {
      try await Workplace.with(mounted: false) { place in
        let socket = "\(place.folder)/notify"
        let listener = try Running(
          """
          exec "$PYTHON" -c 'import socket, sys
          s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); s.bind(sys.argv[1]); s.settimeout(60)
          print(s.recv(100).decode(), flush=True); print(s.recv(100).decode())' '\(socket)'
          """, environment: ["PYTHON": try Testbed.python.get()])
        for _ in 0..<100 where !FileManager.default.fileExists(atPath: socket) {
          try await Task.sleep(for: .milliseconds(50))
        }
        let daemon = try Running(
          "exec \"$BACKUPFS\" mount -f '\(place.configs)' '\(place.mount)'",
          environment: [
            "NOTIFY_SOCKET": socket, "BACKUPFS": try Testbed.program.get(), "XDG_STATE_HOME": place.state,
          ])
        for _ in 0..<200 where !(try await shell("mountpoint -q '\(place.mount)'")).succeeded {
          try await Task.sleep(for: .milliseconds(50))
        }
        try await Task.sleep(for: .seconds(1))
        kill(daemon.identifier, SIGTERM)
        #expect(try await daemon.wait(limit: 30).succeeded)
        #expect(try await listener.wait(limit: 30).output == "READY=1\nSTOPPING=1\n")
      }
    }

    @Test func aStaleMountIsExplainedAndCleared() async throws {
      try await Workplace.with { place in
        try await place.killDaemon()
        let refused = try await shell("\"$BACKUPFS\" mount '\(place.configs)' '\(place.mount)'")
        #expect(refused.status == 1 && refused.output.contains("--replace"), "\(refused.output)")
        try await place.remount("--replace")
        #expect(try await run("ls '\(place.mount)'") == "milvus_A\nmilvus_B")
      }
    }
  }
}
