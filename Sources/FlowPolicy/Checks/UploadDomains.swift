// SPDX-License-Identifier: Apache-2.0

// Domains of which people think as a vendor's own, and to which users upload.

/// A domain below which users can put what they like.
struct UploadDomain {
    /// For example `icloud.com`.
    let name: String
    /// What it takes from users.
    let uploads: String

    /// Each by the vendor's own description of the service.
    static let all: [UploadDomain] = [
        .init(name: "apple.com", uploads: "mail drops, feedback with attachments and web pages of iCloud"),
        .init(name: "icloud.com", uploads: "iCloud Drive, photos and mail"),
        .init(name: "icloud-content.com", uploads: "the files of iCloud Drive and photos"),
        .init(name: "google.com", uploads: "Drive, mail and forms"),
        .init(name: "googleapis.com", uploads: "Cloud Storage buckets of anybody, and Drive"),
        .init(name: "googleusercontent.com", uploads: "what users of Google's services publish"),
        .init(name: "firebaseio.com", uploads: "databases of anybody"),
        .init(name: "microsoft.com", uploads: "forms, feedback and shared files"),
        .init(name: "microsoftonline.com", uploads: "sign-ins to any tenant, your own or another"),
        .init(name: "office.com", uploads: "mail and documents of any tenant"),
        .init(name: "office365.com", uploads: "mail of any tenant"),
        .init(name: "live.com", uploads: "personal OneDrive and mail"),
        .init(name: "sharepoint.com", uploads: "documents of any tenant"),
        .init(name: "onedrive.com", uploads: "personal files"),
        .init(name: "windows.net", uploads: "storage accounts of anybody"),
        .init(name: "azurewebsites.net", uploads: "programs of anybody"),
        .init(name: "amazonaws.com", uploads: "buckets and servers of anybody"),
        .init(name: "cloudfront.net", uploads: "servers of anybody behind one network"),
        .init(name: "r2.dev", uploads: "buckets of anybody"),
        .init(name: "workers.dev", uploads: "programs of anybody"),
        .init(name: "digitaloceanspaces.com", uploads: "buckets of anybody"),
        .init(name: "dropbox.com", uploads: "personal files"),
        .init(name: "dropboxapi.com", uploads: "personal files"),
        .init(name: "box.com", uploads: "personal files"),
        .init(name: "github.com", uploads: "repositories, gists and issues of anybody"),
        .init(name: "githubusercontent.com", uploads: "what users of GitHub publish"),
        .init(name: "gitlab.com", uploads: "repositories and snippets of anybody"),
        .init(name: "bitbucket.org", uploads: "repositories of anybody"),
        .init(name: "atlassian.net", uploads: "pages and attachments of any site"),
        .init(name: "slack.com", uploads: "messages and files to any workspace"),
        .init(name: "discord.com", uploads: "messages and files"),
        .init(name: "telegram.org", uploads: "messages and files"),
        .init(name: "whatsapp.net", uploads: "messages and files"),
        .init(name: "zoom.us", uploads: "chats, recordings and shared files"),
        .init(name: "notion.so", uploads: "pages and files"),
        .init(name: "openai.com", uploads: "whatever is typed or attached to a chat"),
        .init(name: "pastebin.com", uploads: "any text"),
    ]
}
