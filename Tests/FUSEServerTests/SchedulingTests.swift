// Which threads give way to programs that make requests.

import BackupFileSystem
import FUSEServer
import Foundation
import Testing

extension Mounted {
  @Suite struct SchedulingTests {
    /// Threads of this process by scheduling policy (field 41 of proc_pid_stat(5)); 3 is SCHED_BATCH.
    private func threads(withPolicy policy: Int) throws -> Int {
      try FileManager.default.contentsOfDirectory(atPath: "/proc/self/task").count { thread in
        // One that has ended meanwhile has none.
        guard let stat = try? String(contentsOfFile: "/proc/self/task/\(thread)/stat", encoding: .utf8),
          let name = stat.lastIndex(of: ")")
        else { return false }
        // The name, field 2, may hold spaces.
        return stat[name...].split(separator: " ")[41 - 2] == "\(policy)"
      }
    }

    @Test func threadsThatServeGiveWayAndNoOthersDo() async throws {
      #expect(try threads(withPolicy: 3) == 0)
      try await TestMount.with(MemoryFileSystem(), threads: 3) { mount in
        // Work that waits is done by other threads, which may have been started by these.
        let result = try await mount.shell(
          "ls $M; for i in 1 2 3 4 5 6 7 8; do (echo x > $M/f$i; cat $M/f$i) & done; wait")
        #expect(result.status == 0)
        #expect(try threads(withPolicy: 3) == 3)
      }
      #expect(try threads(withPolicy: 3) == 0)
    }
  }
}
