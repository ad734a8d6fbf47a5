import Foundation
import Testing

extension EndToEnd.Files {
  /// One ordinary tool after the other on a real mount over the real stores. In each script `$S` is a directory in store A
  /// with a small tree of known contents, `$D` an empty one in store B, `$L` an empty one on the local disk that holds the
  /// same tree as `$L/tree`; every command must succeed, and at the end no upload may be left.
  @Suite(.serialized) struct ToolMatrix {
    struct Tool: Sendable, CustomTestStringConvertible {
      var testDescription: String
      var script: String
      init(_ name: String, _ script: String) { (testDescription, self.script) = (name, script) }
    }

    static let tools = [
      Tool("cp -a", "cp -a $S/. $D && diff -r $S $D && test \"$(stat -c %Y $D/a)\" = \"$(stat -c %Y $S/a)\""),
      Tool("cp --reflink=never", "cp -r --reflink=never $S $D/x && diff -r $S $D/x"),
      Tool("cp --sparse=always", "cp -r --sparse=always $S $D/x && diff -r $S $D/x"),
      Tool("cp over what is there", "cp -r $S/. $D && cp -r $S/. $D && diff -r $S $D"),
      Tool("cp -n and -u", "cp $S/a $D/a && cp -rn $S/. $D && cp -ru $S/. $D && diff -r $S $D"),
      Tool(
        "mv between stores",
        "cp -r $S $D/x && mv $D/x $S.moved && diff -r $S $S.moved && test ! -e $D/x && rm -r $S.moved"),
      Tool(
        "mv within a store", "cp -r $S/. $D && mv $D/a $D/b1 && mv $D/d $D/e && cmp $D/b1 $S/a && diff -r $D/e $S/d"),
      Tool("rm -r", "cp -r $S/. $D && rm -r $D && test ! -e $D"),
      Tool("install", "install -D -m 644 $S/a $D/x/y/a && cmp $D/x/y/a $S/a"),
      Tool("cat > and >>", "cat $S/large > $D/f && cat $S/a > $D/g && echo more >> $D/g && cmp $D/f $S/large"),
      Tool(
        "head and tail",
        "test \"$(head -c 5 $S/a)\" = \"$(head -c 5 $L/tree/a)\" && tail -n 3 $S/a | cmp - <(tail -n 3 $L/tree/a)"),
      Tool("dd", "dd if=$S/large of=$D/f bs=300k status=none && dd if=$D/f bs=7k status=none | cmp - $S/large"),
      Tool("tar out", "tar -C $S -cf $L/x.tar . && mkdir $L/x && tar -C $L/x -xf $L/x.tar && diff -r $L/x $S"),
      Tool("tar in", "tar -C $L/tree -cf - . | tar -C $D -xf - && diff -r $L/tree $D"),
      Tool("tar to a file on the mount", "tar -C $L/tree -cf $D/x.tar . && tar -tf $D/x.tar | grep large > /dev/null"),
      Tool("rsync -a", "rsync -a $S/ $D/ && diff -r $S $D && test -z \"$(rsync -ai $S/ $D/ | grep '^>f')\""),
      Tool("rsync --inplace", "rsync -a --inplace --whole-file $S/ $D/ && diff -r $S $D"),
      Tool("rsync from disk", "rsync -rt $L/tree/ $D/ && diff -r $L/tree $D"),
      Tool("diff -r", "diff -r $S $L/tree && cp -r $S/. $D && echo x >> $D/a && ! diff -rq $S $D"),
      Tool("find", "test \"$(find $S -type f | wc -l)\" = 7 && test -n \"$(find $S -name large -size +8M)\""),
      Tool("du", "test \"$(du -sb --apparent-size $S | cut -f 1)\" -gt 9000000"),
      Tool("grep -r", "grep -rq 'line 77' $S && ! grep -rq 'no such line' $S"),
      Tool(
        "sha256sum",
        "cd $S && find . -type f -exec sha256sum {} + > $L/sums && cd $L/tree && sha256sum -c --quiet $L/sums"),
      Tool("jq", "test \"$(jq -r .name $S/meta/full_meta.json)\" = tree"),
      Tool(
        "sed -i", "cp $S/meta/full_meta.json $D/f && sed -i 's/tree/bush/' $D/f && test \"$(jq -r .name $D/f)\" = bush"),
      Tool("ed", "cp $S/a $D/f && printf '1s/line/word/\\nw\\nq\\n' | ed -s $D/f && head -n 1 $D/f | grep -q word"),
      Tool(
        "an editor that writes beside and renames",
        "cp $S/a $D/f && echo changed > $D/.f.tmp && sync $D/.f.tmp && mv -f $D/.f.tmp $D/f && grep -q changed $D/f"),
      Tool(
        "Python's shutil",
        "$PYTHON -c \"import shutil; shutil.copytree('$S', '$D/x'); shutil.move('$D/x', '$D/y')\" && diff -r $S $D/y"),
      Tool(
        "os.walk",
        "test \"$($PYTHON -c \"import os; print(sum(len(f) for _, _, f in os.walk('$S')))\")\" = 7"),
      Tool(
        "mmap",
        """
        $PYTHON - $S/large <<'PYTHON'
        import mmap, sys
        with open(sys.argv[1], "rb") as file:
            data = file.read()
            for access in (mmap.MAP_PRIVATE, mmap.MAP_SHARED):
                with mmap.mmap(file.fileno(), 0, flags=access, prot=mmap.PROT_READ) as view:
                    assert view[:] == data
        PYTHON
        """),
      Tool("zip", "cd $S && zip -qr $D/x.zip . && cp $D/x.zip $L/ && cd $L && zip -qT x.zip"),
      Tool(
        "aws s3 sync",
        """
        # Large files are written from their beginning to their end: one stream each instead of several ranges at once.
        printf '[default]\ns3 =\n  multipart_threshold = 5GB\n' > $L/aws; export AWS_CONFIG_FILE=$L/aws
        export AWS_ACCESS_KEY_ID=$KEY AWS_SECRET_ACCESS_KEY=$SECRET AWS_DEFAULT_REGION=us-east-1
        $AWS --endpoint-url $ENDPOINT s3 sync --only-show-errors $S s3://$BUCKET/backup/matrix/up
        sleep 1.5; diff -r $S $D/up
        $AWS --endpoint-url $ENDPOINT s3 sync --only-show-errors s3://$BUCKET/backup/matrix/up $D/down
        diff -r $S $D/down
        """),
      Tool(
        "truncate and touch",
        "echo hello > $D/f && truncate -s 3 $D/f && touch -d 2020-01-01 $D/f && test \"$(cat $D/f)\" = hel"),
      Tool(
        "many descriptors",
        "cd $D && exec 5>f 6>g && echo a >&5 && echo b >&6 && exec 5>&- 6>&- && cat f g | tr -d '\\n' | grep -q ab"),
      Tool("xargs -P", "cd $S && find . -type f | xargs -P 4 -I{} install -D {} $D/{} && diff -r $S $D"),
      Tool("df", "test \"$(df --output=fstype $S | tail -n 1)\" = fuse.milvus-backupfs && df -h $S > /dev/null"),
      Tool(
        "ln and mkfifo are refused",
        "! ln -s a $D/l 2> /dev/null && ! mkfifo $D/p 2> /dev/null && ! ln $S/a $S/l 2> /dev/null"),
    ]

    private static let tree = """
      mkdir -p $L/tree/d/e $L/tree/meta
      seq -f 'line %g' 1 500 > $L/tree/a; : > $L/tree/empty; echo 'ünïcode + space' > "$L/tree/d/a b+c%é"
      head -c 5000 /dev/zero > $L/tree/d/e/zeros; head -c 9000001 <(yes abc) > $L/tree/large
      echo '{"name": "tree"}' > $L/tree/meta/full_meta.json; echo x > $L/tree/d/.hidden
      """

    @Test(arguments: tools)
    func works(tool: Tool) async throws {
      let store = try Testbed.instance("B").store
      for name in ["A", "B"] {
        try await Oracle.remove(name, "backup/matrix/")
        try await Oracle.remove(name, "backup/source/")
      }
      try await Workplace.with { place in
        let prelude = """
          set -eo pipefail
          export L='\(place.folder)/local' S='\(place.mount)/milvus_A/source' D='\(place.mount)/milvus_B/matrix'
          export AWS='\(Testbed.project)/.testbed/tools/bin/aws' ENDPOINT='\(store.endpoint)' BUCKET='\(store.bucket)'
          export KEY='\(store.accessKeyID)'
          mkdir $L $D
          \(Self.tree)
          cp -r $L/tree $S
          """
        let outcome = try await shell(
          prelude + "\n" + tool.script, environment: ["SECRET": store.secretAccessKey], limit: 120)
        #expect(outcome.succeeded, "\(tool.testDescription) exited \(outcome.status): \(outcome.output)")
        try await expectNoControlFile("A", "backup/source/")
        try await expectNoControlFile("B", "backup/matrix/")
        for (name, backup) in [("A", "source"), ("B", "matrix")] {
          #expect(try await Oracle.uploads(name, "backup/\(backup)/") == 0)
        }
        let gauges = try await run("sleep 0.3; cat '\(place.mount)/.milvus-backupfs/stats'")
        for line in gauges.split(separator: "\n") where line.hasPrefix("open_files") || line.hasPrefix("uploads") {
          #expect(line.hasSuffix(" 0") || line.hasPrefix("open_files_reading"), "\(line)")
        }
      }
    }

    private func expectNoControlFile(_ store: String, _ prefix: String) async throws {
      let names = try await Oracle.objects(store, prefix).keys.compactMap { $0.split(separator: "/").last }
      #expect(!names.contains("restore") && !names.contains("create") && !names.contains(".milvus-backupfs"))
    }
  }
}
