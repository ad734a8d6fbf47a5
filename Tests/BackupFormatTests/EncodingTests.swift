// The exact bytes written for messages.

import Testing

@testable import BackupFormat

@Suite struct EncodingTests {
  private func json(_ message: some FieldVisitable) -> String {
    String(decoding: FieldEncoder.encode(message), as: UTF8.self)
  }

  @Test func emptyMessagesHoldOnlyTheFieldsThatAreAlwaysWritten() {
    #expect(json(BackupInfo()) == #"{"state_code":0,"size":0}"#)
    #expect(json(CollectionBackupInfo()) == #"{"size":0,"has_index":false}"#)
    #expect(json(PartitionBackupInfo()) == #"{"size":0}"#)
    #expect(json(SegmentBackupInfo()) == #"{"size":0}"#)
    #expect(json(Binlog()) == #"{"log_size":0}"#)
    #expect(json(FieldBinlog()) == "{}")
    #expect(json(DatabaseBackupInfo()) == "{}")
    #expect(json(IndexInfo()) == "{}")
    #expect(json(CollectionSchema()) == "{}")
    #expect(json(FieldSchema()) == "{}")
    #expect(json(FunctionSchema()) == "{}")
    #expect(json(StructArrayFieldSchema()) == "{}")
    #expect(json(SnapshotBackupInfo()) == "{}")
    #expect(json(RBACMeta()) == "{}")
    #expect(json(LevelInfos<SegmentBackupInfo>()) == "{}")
  }

  @Test func keysAreThoseOfTheFormatInTheOrderOfTheFieldNumbers() {
    let field = FieldSchema.with {
      $0.fieldID = 1
      $0.name = "n"
      $0.isPrimaryKey = true
      $0.description = "d"
      $0.dataType = .floatVector
      $0.typeParams = [KeyValuePair(key: "dim", value: "8")]
      $0.indexParams = [KeyValuePair(key: "a", value: "")]
      $0.autoID = true
      $0.state = .dropped
      $0.elementType = .int64
      $0.isDynamic = true
      $0.isPartitionKey = true
      $0.nullable = true
      $0.defaultValueProto = "p"
      $0.isFunctionOutput = true
      $0.defaultValueBase64 = "GAc="
    }
    #expect(
      json(field)
        == #"{"fieldID":1,"name":"n","is_primary_key":true,"description":"d","data_type":101,"#
        + #""type_params":[{"key":"dim","value":"8"}],"index_params":[{"key":"a"}],"autoID":true,"state":3,"#
        + #""element_type":5,"is_dynamic":true,"is_partition_key":true,"nullable":true,"default_value_proto":"p","#
        + #""is_function_output":true,"default_value_base64":"GAc="}"#)
    let index = IndexInfo.with {
      $0.fieldName = "v"
      $0.indexName = "i"
      $0.indexType = "HNSW"
      $0.params = ["metric_type": "L2", "M": "8"]
      $0.indexID = 2
      $0.fieldID = 3
      $0.createTime = .max
      $0.typeParams = [KeyValuePair()]
      $0.indexParams = [KeyValuePair()]
      $0.userIndexParams = [KeyValuePair()]
      $0.isAutoIndex = true
      $0.minIndexVersion = -1
      $0.maxIndexVersion = .max
    }
    #expect(
      json(index)
        == #"{"field_name":"v","index_name":"i","index_type":"HNSW","params":{"M":"8","metric_type":"L2"},"#
        + #""index_id":2,"field_id":3,"create_time":18446744073709551615,"type_params":[{}],"index_params":[{}],"#
        + #""user_index_params":[{}],"is_auto_index":true,"min_index_version":-1,"max_index_version":2147483647}"#)
    let function = FunctionSchema.with {
      $0.name = "f"
      $0.id = 1
      $0.description = "d"
      $0.type = .bm25
      $0.inputFieldNames = ["a", ""]
      $0.inputFieldIDs = [0, -5]
      $0.outputFieldNames = ["b"]
      $0.outputFieldIDs = [7]
      $0.params = [KeyValuePair(key: "k", value: "v")]
    }
    #expect(
      json(function)
        == #"{"name":"f","id":1,"description":"d","type":1,"input_field_names":["a",""],"input_field_ids":[0,-5],"#
        + #""output_field_names":["b"],"output_field_ids":[7],"params":[{"key":"k","value":"v"}]}"#)
    let segment = SegmentBackupInfo.with {
      $0.segmentID = .min
      $0.collectionID = .max
      $0.partitionID = -1
      $0.numOfRows = 1
      $0.statslogs = [FieldBinlog()]
      $0.deltalogs = [FieldBinlog()]
      $0.groupID = 2
      $0.backuped = true
      $0.isL0 = true
      $0.vChannel = "v"
      $0.storageVersion = 3
    }
    #expect(
      json(segment)
        == #"{"segment_id":-9223372036854775808,"collection_id":9223372036854775807,"partition_id":-1,"num_of_rows":1,"#
        + #""statslogs":[{}],"deltalogs":[{}],"size":0,"group_id":2,"backuped":true,"is_l0":true,"v_channel":"v","#
        + #""storage_version":3}"#)
  }

  @Test func rareMessagesAreWrittenInFull() {
    let info = BackupInfo.with {
      $0.errorMessage = "e"
      $0.startTime = 1
      $0.endTime = 2
      $0.progress = 3
      $0.backupTimestamp = 4
      $0.rpcChannelInfo = RPCChannelInfo.with {
        $0.name = "r"
        $0.position = "p"
      }
      $0.databaseBackups = [
        .with {
          $0.dbName = "d"
          $0.dbID = 5
          $0.properties = [KeyValuePair(key: "k", value: "v")]
          $0.ezk = "z"
        }
      ]
      $0.format = "snapshot"
      $0.collectionBackups = [
        .with {
          $0.backupPhysicalTimestamp = 6
          $0.snapshotBackup = .with {
            $0.metadataPath = "bundle/m"
            $0.totalFiles = 7
            $0.totalBytes = 8
          }
        }
      ]
    }
    #expect(
      json(info)
        == #"{"state_code":0,"errorMessage":"e","start_time":1,"end_time":2,"progress":3,"backup_timestamp":4,"#
        + #""collection_backups":[{"size":0,"has_index":false,"backup_physical_timestamp":6,"snapshot_backup":"#
        + #"{"metadata_path":"bundle/m","total_files":7,"total_bytes":8}}],"size":0,"rpc_channel_info":"#
        + #"{"name":"r","position":"p"},"database_backups":[{"db_name":"d","db_id":5,"#
        + #""properties":[{"key":"k","value":"v"}],"ezk":"z"}],"format":"snapshot"}"#)
  }

  @Test(arguments: [
    ("<a href=\"x\">&</a>", #"\u003ca href=\"x\"\u003e\u0026\u003c/a\u003e"#),
    ("\u{2027}\u{2028}\u{2029}\u{202a}", "\u{2027}\\u2028\\u2029\u{202a}"),
    ("\0\u{1}\u{f}\u{10}\u{1f}\u{7f}", "\\u0000\\u0001\\u000f\\u0010\\u001f\u{7f}"),
    ("\u{8}\t\n\u{c}\r\\/", #"\b\t\n\f\r\\/"#),
    ("é中😀\u{fffd}", "é中😀\u{fffd}"),
  ])
  func escapesAreThoseOfGo(text: String, escaped: String) {
    let written = FieldEncoder.encode(KeyValuePair(key: text, value: ""))
    #expect(written == Array(#"{"key":"\#(escaped)"}"#.utf8))
  }

  @Test func mapKeysAreSortedByTheirBytes() {
    let index = IndexInfo.with { $0.params = ["b": "1", "B": "2", "é": "3", "e\u{301}": "4", "": "5", "bb": "6"] }
    #expect(
      FieldEncoder.encode(index)
        == Array("{\"params\":{\"\":\"5\",\"B\":\"2\",\"b\":\"1\",\"bb\":\"6\",\"e\u{301}\":\"4\",\"é\":\"3\"}}".utf8))
  }
}
