import Testing

@testable import milvus_backupfs

@Suite struct MountOptionTests {
  @Test func theWordsOfMountAreUnderstood() throws {
    let list = try MountOptionList("ro,allow_other,uid=1000,gid=100,umask=027,log=/var/log/x,replace")
    #expect(list.isReadOnly && list.allowsOther && list.replacesStale)
    #expect(list.owner == 1000 && list.group == 100 && list.mask == 0o027 && list.log == "/var/log/x")
    #expect(try MountOptionList("ro,rw").isReadOnly == false)
  }

  @Test func whatConcernsOthersIsAccepted() throws {
    #expect(
      try MountOptionList("defaults,_netdev,nofail,noauto,nosuid,x-systemd.automount,user") == MountOptionList(""))
  }

  @Test(arguments: [
    ("floppy", "floppy"), ("uid=root", "uid=1000"), ("uid", "number"), ("umask=8", "octal"), ("umask=7777", "above"),
    ("log", "path"),
  ])
  func mistakesAreNamed(text: String, word: String) {
    do throws(MountOptionList.Malformed) {
      _ = try MountOptionList(text)
      Issue.record("it was accepted")
    } catch {
      #expect(error.message.contains(word), "\(error.message)")
    }
  }

  @Test func theArgumentsOfAHelperBecomeThoseOfTheCommand() {
    #expect(MountHelper.arguments(["/usr/bin/milvus-backupfs", "mount", "a", "b"]) == nil)
    #expect(
      MountHelper.arguments([
        "/sbin/mount.milvus-backupfs", "/etc/stores", "/mnt", "-sv", "-t", "milvus-backupfs", "-o", "rw,_netdev",
      ])
        == ["mount", "/etc/stores", "/mnt", "-o", "rw,_netdev"])
    #expect(MountHelper.arguments(["mount.milvus-backupfs", "/etc/stores", "/mnt", "-f"]) == ["--version"])
  }
}
