import Testing

@Test(.timeLimit(.minutes(1))) func smoke() async throws {
  let fs = MemoryFileSystem()
  fs.add("hello", contents: Array("hello\n".utf8))
  try await TestMount.with(fs) { mount in
    let r = try await mount.shell("cat $M/hello; ls -lai $M; stat $M/hello; echo hi > $M/x; cp $M/x $M/y; cat $M/y; df $M; grep fuse /proc/mounts; ln -s a $M/b; mkfifo $M/p; ln $M/x $M/z; python3 -c 'import os,sys; print(os.path.exists(sys.argv[1]+\"/a\\udcff\"))' $M; touch $M/$'a\\xff'; fallocate -l 10 $M/x; rm $M/x; mkdir $M/d; ls -ai $M/d")
    print(r.output, r.status)
    print(fs.recorded.calls)
  }
}
