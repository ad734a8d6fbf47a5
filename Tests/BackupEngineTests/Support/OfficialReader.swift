// A reader of backups that is as strict as the format's description, and shares no code with the one under test: it knows
// the messages by their keys, what must be there, and what must not be there when it is zero.

import Foundation

/// A JSON value, numbers as 64-bit integers only.
indirect enum JSON: Decodable, Equatable {
  case null
  case bool(Bool)
  case int(Int64)
  case unsigned(UInt64)
  case text(String)
  case list([JSON])
  case object([String: JSON])

  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if container.decodeNil() {
      self = .null
    } else if let value = try? container.decode(Bool.self) {
      self = .bool(value)
    } else if let value = try? container.decode(Int64.self) {
      self = .int(value)
    } else if let value = try? container.decode(UInt64.self) {
      self = .unsigned(value)
    } else if let value = try? container.decode(String.self) {
      self = .text(value)
    } else if let value = try? container.decode([JSON].self) {
      self = .list(value)
    } else {
      self = .object(try container.decode([String: JSON].self))
    }
  }

  subscript(_ key: String) -> JSON? {
    guard case .object(let members) = self else { return nil }
    return members[key]
  }
  var items: [JSON] {
    guard case .list(let items) = self else { return [] }
    return items
  }
  var number: Int64? {
    guard case .int(let value) = self else { return nil }
    return value
  }
  var string: String? {
    guard case .text(let value) = self else { return nil }
    return value
  }
  var keys: Set<String> {
    guard case .object(let members) = self else { return [] }
    return Set(members.keys)
  }
}

/// Checks JSON against the messages of the format.
struct OfficialReader {
  indirect enum Kind: Sendable {
    case text, int, flag, map
    case message(String)
    case list(Kind)
  }

  private static let pair = Kind.list(.message("KeyValuePair"))

  /// Persisted messages with their keys (milvus-backup format, 2.1).
  private static let messages: [String: [String: Kind]] = [
    "BackupInfo": [
      "id": .text, "state_code": .int, "name": .text, "backup_timestamp": .int,
      "collection_backups": .list(.message("CollectionBackupInfo")), "size": .int, "milvus_version": .text,
      "rbac_meta": .message("RBACMeta"), "rpc_channel_info": .message("RPCChannelInfo"),
      "database_backups": .list(.message("DatabaseBackupInfo")), "flush_all_msgs_base64": .map,
      "control_channel_name": .text, "physical_channel_names": .list(.text), "format": .text,
    ],
    "DatabaseBackupInfo": ["db_name": .text, "db_id": .int, "properties": pair, "ezk": .text],
    "CollectionBackupInfo": [
      "id": .text, "collection_id": .int, "db_name": .text, "collection_name": .text,
      "schema": .message("CollectionSchema"), "shards_num": .int, "consistency_level": .int,
      "partition_backups": .list(.message("PartitionBackupInfo")), "backup_timestamp": .int, "size": .int,
      "has_index": .flag, "index_infos": .list(.message("IndexInfo")), "load_state": .text,
      "backup_physical_timestamp": .int, "channel_checkpoints": .map,
      "l0_segments": .list(.message("SegmentBackupInfo")), "properties": pair, "db_id": .int,
      "created_timestamp": .int, "virtual_channel_names": .list(.text), "physical_channel_names": .list(.text),
      "aliases": .list(.text),
    ],
    "PartitionBackupInfo": [
      "partition_id": .int, "partition_name": .text, "collection_id": .int,
      "segment_backups": .list(.message("SegmentBackupInfo")), "size": .int, "load_state": .text,
    ],
    "SegmentBackupInfo": [
      "segment_id": .int, "collection_id": .int, "partition_id": .int, "num_of_rows": .int,
      "binlogs": .list(.message("FieldBinlog")), "deltalogs": .list(.message("FieldBinlog")), "size": .int,
      "group_id": .int, "is_l0": .flag, "v_channel": .text, "storage_version": .int,
    ],
    "FieldBinlog": ["fieldID": .int, "binlogs": .list(.message("Binlog"))],
    "Binlog": ["log_path": .text, "log_size": .int, "log_id": .int],
    "IndexInfo": ["field_name": .text, "index_name": .text, "index_type": .text, "params": .map, "index_id": .int],
    "CollectionSchema": [
      "name": .text, "description": .text, "autoID": .flag, "fields": .list(.message("FieldSchema")),
      "enable_dynamic_field": .flag, "properties": pair, "functions": .list(.message("FunctionSchema")),
      "struct_array_fields": .list(.message("StructArrayFieldSchema")),
    ],
    "FieldSchema": [
      "fieldID": .int, "name": .text, "is_primary_key": .flag, "description": .text, "data_type": .int,
      "type_params": pair, "index_params": pair, "autoID": .flag, "state": .int, "element_type": .int,
      "is_partition_key": .flag, "nullable": .flag, "default_value_proto": .text, "is_function_output": .flag,
      "default_value_base64": .text,
    ],
    "StructArrayFieldSchema": [
      "fieldID": .int, "name": .text, "description": .text, "fields": .list(.message("FieldSchema")),
    ],
    "FunctionSchema": [
      "name": .text, "id": .int, "description": .text, "type": .int, "input_field_names": .list(.text),
      "input_field_ids": .list(.int), "output_field_names": .list(.text), "output_field_ids": .list(.int),
      "params": pair,
    ],
    "KeyValuePair": ["key": .text, "value": .text],
    "RPCChannelInfo": ["name": .text, "position": .text],
    "RBACMeta": [
      "users": .list(.message("UserInfo")), "roles": .list(.message("Named")), "grants": .list(.message("GrantEntity")),
      "privilege_groups": .list(.message("PrivilegeGroupInfo")),
    ],
    "UserInfo": ["user": .text, "password": .text, "roles": .list(.message("Named"))],
    "Named": ["name": .text],
    "GrantEntity": [
      "role": .message("Named"), "object": .message("Named"), "object_name": .text,
      "grantor": .message("GrantorEntity"), "db_name": .text,
    ],
    "GrantorEntity": ["user": .message("Named"), "privilege": .message("Named")],
    "PrivilegeGroupInfo": ["group_name": .text, "privileges": .list(.message("Named"))],
    "Collections": ["infos": .list(.message("CollectionBackupInfo"))],
    "Partitions": ["infos": .list(.message("PartitionBackupInfo"))],
    "Segments": ["infos": .list(.message("SegmentBackupInfo"))],
  ]

  /// Keys that are written even if their value is zero (1.4); `state_code` of a collection went with 0.5.9.
  private static let always: [String: Set<String>] = [
    "BackupInfo": ["state_code", "size"], "CollectionBackupInfo": ["size", "has_index"],
    "PartitionBackupInfo": ["size"], "SegmentBackupInfo": ["size"], "Binlog": ["log_size"],
  ]

  private(set) var problems: [String] = []

  /// Reads a file as one message.
  mutating func read(_ bytes: [UInt8], as message: String, file: String) -> JSON? {
    checkSpelling(bytes, file)
    guard let value = try? JSONDecoder().decode(JSON.self, from: Data(bytes)) else {
      problems.append("\(file): no JSON with 64-bit integers")
      return nil
    }
    check(value, .message(message), file)
    return value
  }

  /// Compact, without a line end, with what HTML could take for its own escaped.
  private mutating func checkSpelling(_ bytes: [UInt8], _ file: String) {
    var isText = false
    var isEscaped = false
    for byte in bytes {
      if [UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "&")].contains(byte) {
        problems.append("\(file): a character is not escaped")
      }
      if isText {
        if isEscaped {
          isEscaped = false
        } else if byte == UInt8(ascii: "\\") {
          isEscaped = true
        } else if byte
          == UInt8(ascii: "\"")
        {
          isText = false
        }
      } else if byte == UInt8(ascii: "\"") {
        isText = true
      } else if byte <= 0x20 {
        problems.append("\(file): white space")
        return
      }
    }
  }

  private mutating func check(_ value: JSON, _ kind: Kind, _ place: String) {
    switch (kind, value) {
    case (.text, .text), (.int, .int), (.int, .unsigned), (.flag, .bool): break
    case (.map, .object(let members)):
      for (key, value) in members { check(value, .text, "\(place).\(key)") }
    case (.list(let element), .list(let items)):
      for (index, item) in items.enumerated() { check(item, element, "\(place)[\(index)]") }
    case (.message(let name), .object(let members)):
      let fields = Self.messages[name] ?? [:]
      let always = Self.always[name] ?? []
      for key in always where members[key] == nil { problems.append("\(place): \(key) must always be there") }
      for (key, member) in members {
        guard let kind = fields[key] else {
          problems.append("\(place): \(key) is no key of \(name)")
          continue
        }
        if !always.contains(key), Self.isZero(member) {
          problems.append("\(place): \(key) is zero and must be left out")
        }
        check(member, kind, "\(place).\(key)")
      }
    default: problems.append("\(place): \(value) is not of kind \(kind)")
    }
  }

  /// What Go's encoder leaves out of a struct; an empty message is a pointer and stays.
  private static func isZero(_ value: JSON) -> Bool {
    switch value {
    case .null, .bool(false), .int(0), .text(""), .list([]): true
    default: false
    }
  }
}
